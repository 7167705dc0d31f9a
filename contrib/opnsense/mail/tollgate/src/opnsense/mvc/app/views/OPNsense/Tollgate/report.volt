{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        const columns = [
            ['client', '{{ lang._('Client') }}'],
            ['recipient', '{{ lang._('Recipient') }}'],
            ['domain', '{{ lang._('Domain') }}'],
            ['day', '{{ lang._('Day') }}'],
            ['deliveries', '{{ lang._('Deliveries') }}'],
            ['size', '{{ lang._('Size') }}'],
            ['charged', '{{ lang._('Charged') }}']
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
                const most = Math.max.apply(null, answer.rows.map(function (r) { return Number(r.charged) || 0; }));
                const part = most > 0 ? Math.round(100 * (Number(row.charged) || 0) / most) : 0;
                tr.append($('<td/>').css('width', '20%').append(
                    $('<div/>').addClass('progress-bar').css({'width': part + '%', 'min-height': '1em'})
                ));
                body.append(tr);
            });
            $('#none').toggleClass('hidden', (answer.rows || []).length > 0 || !!answer.error);
        }

        function search() {
            const question = {};
            ['by', 'from', 'to'].forEach(function (f) { question[f] = $('#' + f).val(); });
            return ajaxCall('/api/tollgate/report/search', question, show);
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
        <label for="by">{{ lang._('By') }}</label>
        <select class="form-control" id="by">
            <option value="client">{{ lang._('Client') }}</option>
            <option value="recipient">{{ lang._('Recipient') }}</option>
            <option value="domain">{{ lang._('Domain') }}</option>
            <option value="day">{{ lang._('Day') }}</option>
        </select>
        <label for="from">{{ lang._('From') }}</label>
        <input type="text" class="form-control" id="from" maxlength="250" placeholder="2026-11-01">
        <label for="to">{{ lang._('To') }}</label>
        <input type="text" class="form-control" id="to" maxlength="250">
        <button type="submit" class="btn btn-primary">{{ lang._('Search') }}</button>
    </form>
    <div id="problem" class="alert alert-danger hidden" role="alert"></div>
    <div id="none" class="alert alert-info hidden" role="status">{{ lang._('Nothing found.') }}</div>
    <table id="rows" class="table table-striped table-condensed">
        <thead></thead>
        <tbody></tbody>
    </table>
</div>
