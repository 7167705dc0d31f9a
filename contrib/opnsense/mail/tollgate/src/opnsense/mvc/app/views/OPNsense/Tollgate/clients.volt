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
        $("#{{ formGridTariff['table_id'] }}").UIBootgrid({
            search: '/api/tollgate/settings/search_tariff/',
            get: '/api/tollgate/settings/get_tariff/',
            set: '/api/tollgate/settings/set_tariff/',
            add: '/api/tollgate/settings/add_tariff/',
            del: '/api/tollgate/settings/del_tariff/'
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
    <li class="active"><a data-toggle="tab" href="#clients">{{ lang._('Clients') }}</a></li>
    <li><a data-toggle="tab" href="#tariffs">{{ lang._('Tariffs') }}</a></li>
</ul>

<div class="tab-content content-box">
    <div id="clients" class="tab-pane fade in active">
        {{ partial('layout_partials/base_bootgrid_table', formGridClient) }}
    </div>
    <div id="tariffs" class="tab-pane fade in">
        {{ partial('layout_partials/base_bootgrid_table', formGridTariff) }}
    </div>
</div>

{{ partial('layout_partials/base_apply_button', {'data_endpoint': '/api/tollgate/service/reconfigure', 'data_service_widget': 'tollgate'}) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogClient, 'id': formGridClient['edit_dialog_id'], 'label': lang._('Edit Client')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogTariff, 'id': formGridTariff['edit_dialog_id'], 'label': lang._('Edit Tariff')]) }}
