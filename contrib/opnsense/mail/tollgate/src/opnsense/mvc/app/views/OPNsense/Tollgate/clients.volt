{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        updateServiceControlUI('tollgate');
        $("#{{ formGridClient['table_id'] }}").UIBootgrid({
            search: '/api/tollgate/settings/search_client/',
            get: '/api/tollgate/settings/get_client/',
            set: '/api/tollgate/settings/set_client/',
            add: '/api/tollgate/settings/add_client/',
            del: '/api/tollgate/settings/del_client/',
            toggle: '/api/tollgate/settings/toggle_client/'
        });
        $('#reconfigureAct').SimpleActionButton({
            onAction: function (data) {
                const rows = (data && data.check) || [];
                const box = $('#check').empty().toggleClass('hidden', rows.length === 0);
                rows.forEach(function (row) {
                    box.append($('<div/>').text(row.severity + ': ' + row.message));
                });
            }
        });
    });
</script>

<div id="check" class="alert alert-warning hidden" role="alert"></div>

<div class="content-box">
    {{ partial('layout_partials/base_bootgrid_table', formGridClient) }}
</div>

{{ partial('layout_partials/base_apply_button', {'data_endpoint': '/api/tollgate/service/reconfigure', 'data_service_widget': 'tollgate'}) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogClient, 'id': formGridClient['edit_dialog_id'], 'label': lang._('Edit Client')]) }}
