{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        const columns = [
            ['number', '{{ lang._('Number') }}'],
            ['time', '{{ lang._('Time') }}'],
            ['how', '{{ lang._('How') }}'],
            ['by', '{{ lang._('By whom') }}'],
            ['message', '{{ lang._('Why') }}'],
            ['version', '{{ lang._('Version') }}']
        ];
        const head = $('<tr/>');
        columns.forEach(function (c) { head.append($('<th/>').text(c[1])); });
        $('#rows thead').append(head);

        // Every value is outside text: it is set as text, never as markup.
        function show(answer) {
            const body = $('#rows tbody').empty();
            $('#problem').toggleClass('hidden', !answer.error).text(answer.error || '');
            (answer.rows || []).forEach(function (row) {
                const tr = $('<tr/>');
                columns.forEach(function (c) {
                    const value = row[c[0]];
                    tr.append($('<td/>').text(Array.isArray(value) ? value.join(', ') : (value === undefined ? '' : value)));
                });
                body.append(tr);
            });
            $('#none').toggleClass('hidden', (answer.rows || []).length > 0 || !!answer.error);
        }

        function search() {
            return ajaxCall('/api/tollgate/history/search', {}, show);
        }

        $('#search').on('submit', function (event) {
            event.preventDefault();
            search();
        });
        search();
    });
</script>

<div class="content-box" style="padding: 1em;">
    <form id="search" class="form-inline">
        <button type="submit" class="btn btn-primary">{{ lang._('Search') }}</button>
    </form>
    <div id="problem" class="alert alert-danger hidden" role="alert"></div>
    <div id="none" class="alert alert-info hidden" role="status">{{ lang._('Nothing found.') }}</div>
    <table id="rows" class="table table-striped table-condensed">
        <thead></thead>
        <tbody></tbody>
    </table>
</div>
