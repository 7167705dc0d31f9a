{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        updateServiceControlUI('tollgate');
        ajaxGet('/api/tollgate/service/details', {}, function (answer) {
            $('#problem').toggleClass('hidden', !answer.error).text(answer.error || '');
            $('#details').text(answer.text || '');
        });
    });
</script>

<div class="content-box" style="padding: 1em;">
    <div id="problem" class="alert alert-danger hidden" role="alert"></div>
    <pre id="details"></pre>
</div>
