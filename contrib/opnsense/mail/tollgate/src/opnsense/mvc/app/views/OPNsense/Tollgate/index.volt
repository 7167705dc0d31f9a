{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        mapDataToFormUI({'frm_Settings': '/api/tollgate/settings/get'}).done(function () {
            formatTokenizersUI();
            $('.selectpicker').selectpicker('refresh');
            updateServiceControlUI('tollgate');
        });

        $("#{{ formGridZone['table_id'] }}").UIBootgrid({
            search: '/api/tollgate/settings/search_zone/',
            get: '/api/tollgate/settings/get_zone/',
            set: '/api/tollgate/settings/set_zone/',
            add: '/api/tollgate/settings/add_zone/',
            del: '/api/tollgate/settings/del_zone/',
            toggle: '/api/tollgate/settings/toggle_zone/'
        });

        $('#reconfigureAct').SimpleActionButton({
            onPreAction: function () {
                const saved = $.Deferred();
                saveFormToEndpoint('/api/tollgate/settings/set', 'frm_Settings', saved.resolve, true, saved.reject);
                return saved;
            },
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
    <li class="active"><a data-toggle="tab" href="#settings">{{ lang._('Settings') }}</a></li>
    <li><a data-toggle="tab" href="#zones">{{ lang._('DNS Lists') }}</a></li>
</ul>

<div class="tab-content content-box">
    <div id="settings" class="tab-pane fade in active">
        {{ partial('layout_partials/base_form', ['fields': settingsForm, 'id': 'frm_Settings']) }}
    </div>
    <div id="zones" class="tab-pane fade in">
        {{ partial('layout_partials/base_bootgrid_table', formGridZone) }}
    </div>
</div>

{{ partial('layout_partials/base_apply_button', {'data_endpoint': '/api/tollgate/service/reconfigure', 'data_service_widget': 'tollgate'}) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogZone, 'id': formGridZone['edit_dialog_id'], 'label': lang._('Edit DNS List')]) }}
