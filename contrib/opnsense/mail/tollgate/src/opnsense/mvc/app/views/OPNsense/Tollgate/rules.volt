{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        updateServiceControlUI('tollgate');
        $("#{{ formGridRule['table_id'] }}").UIBootgrid({
            search: '/api/tollgate/settings/search_rule/',
            get: '/api/tollgate/settings/get_rule/',
            set: '/api/tollgate/settings/set_rule/',
            add: '/api/tollgate/settings/add_rule/',
            del: '/api/tollgate/settings/del_rule/',
            toggle: '/api/tollgate/settings/toggle_rule/'
        });
        $("#{{ formGridList['table_id'] }}").UIBootgrid({
            search: '/api/tollgate/settings/search_list/',
            get: '/api/tollgate/settings/get_list/',
            set: '/api/tollgate/settings/set_list/',
            add: '/api/tollgate/settings/add_list/',
            del: '/api/tollgate/settings/del_list/'
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

<ul class="nav nav-tabs" data-tabs="tabs" id="maintabs">
    <li class="active"><a data-toggle="tab" href="#rules">{{ lang._('Rules') }}</a></li>
    <li><a data-toggle="tab" href="#lists">{{ lang._('Lists') }}</a></li>
</ul>

<div class="tab-content content-box">
    <div id="rules" class="tab-pane fade in active">
        {{ partial('layout_partials/base_bootgrid_table', formGridRule) }}
    </div>
    <div id="lists" class="tab-pane fade in">
        {{ partial('layout_partials/base_bootgrid_table', formGridList) }}
    </div>
</div>

{{ partial('layout_partials/base_apply_button', {'data_endpoint': '/api/tollgate/service/reconfigure', 'data_service_widget': 'tollgate'}) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogRule, 'id': formGridRule['edit_dialog_id'], 'label': lang._('Edit Rule')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogList, 'id': formGridList['edit_dialog_id'], 'label': lang._('Edit List')]) }}
