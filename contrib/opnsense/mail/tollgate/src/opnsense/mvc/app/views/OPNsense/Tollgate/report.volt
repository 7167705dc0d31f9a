{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        const columns = [
            ['client', '{{ lang._('Client') }}'],
            ['name', '{{ lang._('Name') }}'],
            ['tariff', '{{ lang._('Tariff') }}'],
            ['recipient', '{{ lang._('Recipient') }}'],
            ['domain', '{{ lang._('Domain') }}'],
            ['day', '{{ lang._('Day') }}'],
            ['deliveries', '{{ lang._('Deliveries') }}'],
            ['size', '{{ lang._('Size') }}'],
            ['charged', '{{ lang._('Charged') }}'],
            ['included', '{{ lang._('Included') }}'],
            ['cost', '{{ lang._('Cost') }}'],
            ['balance', '{{ lang._('Balance') }}'],
            ['currency', '{{ lang._('Currency') }}']
        ];
        const always = ['deliveries', 'size', 'charged'];
        const money = ['cost', 'balance'];
        const colours = ['#337ab7', '#d9822b', '#5cb85c', '#9b59b6', '#c0392b', '#16a085', '#7f8c8d', '#f1c40f'];
        const mostBars = 20;
        let last = [];

        // Money comes as a decimal text, which is shown as it is.
        function nothing(row, column) {
            const value = row[column];
            return money.indexOf(column) >= 0 ? Number(value || 0) === 0 : !value;
        }

        function shown(row, column) {
            const value = row[column];
            if (value === undefined || value === null) {
                return '';
            }
            return String(value);
        }

        // Every value is outside text: it is set as text, never as markup.
        function show(answer) {
            const rows = answer.rows || [];
            $('#problem').toggleClass('hidden', !answer.error).text(answer.error || '');
            $('#none').toggleClass('hidden', rows.length > 0 || !!answer.error);
            const used = columns.filter(function (c) {
                return always.indexOf(c[0]) >= 0 || rows.some(function (row) { return !nothing(row, c[0]); });
            });
            const head = $('<tr/>'), body = $('#rows tbody').empty();
            $('#rows thead').empty().append(head);
            used.forEach(function (c) { head.append($('<th/>').text(c[1])); });
            rows.forEach(function (row) {
                const tr = $('<tr/>');
                used.forEach(function (c) { tr.append($('<td/>').text(shown(row, c[0]))); });
                body.append(tr);
            });
            last = rows;
            draw();
        }

        // A bar for each client (or what else the rows are of), a part of it for each tariff.
        function draw() {
            const what = $('#what').val(), by = $('#by').val().split(',')[0];
            const bars = {}, tariffs = [];
            last.forEach(function (row) {
                const key = by === 'tariff' ? row.tariff || '-' : row[by] || '-', tariff = row.tariff || '';
                if (tariffs.indexOf(tariff) < 0) { tariffs.push(tariff); }
                const bar = bars[key] = bars[key] || {label: row.name || key, all: 0, parts: []};
                const value = Math.max(Number(row[what]) || 0, 0);
                bar.all += value;
                bar.parts.push({tariff: tariff, value: value, row: row});
            });
            const most = Object.values(bars).sort(function (a, b) { return b.all - a.all; }).slice(0, mostBars);
            const scale = most.length ? most[0].all : 0;
            const chart = $('#chart').empty(), legend = $('#legend').empty();
            most.forEach(function (bar) {
                const line = $('<div class="bar"/>').css({display: 'flex', height: '1.4em', margin: '2px 0'});
                bar.parts.forEach(function (part) {
                    $('<div class="part"/>').css({
                        width: (scale > 0 ? 100 * part.value / scale : 0) + '%',
                        background: colours[tariffs.indexOf(part.tariff) % colours.length]
                    }).attr('title', [part.tariff, shown(part.row, what)].join(' ').trim()).appendTo(line);
                });
                chart.append($('<div/>').css({display: 'flex'}).append(
                    $('<div/>').css({width: '20%', overflow: 'hidden', 'text-overflow': 'ellipsis'}).text(bar.label),
                    $('<div/>').css({width: '80%'}).append(line)
                ));
            });
            tariffs.filter(function (t) { return t !== ''; }).forEach(function (t) {
                legend.append($('<span/>').css({'margin-right': '1em'}).append(
                    $('<span/>').css({
                        display: 'inline-block', width: '1em', height: '1em', 'margin-right': '.3em',
                        background: colours[tariffs.indexOf(t) % colours.length]
                    }),
                    $('<span/>').text(t)
                ));
            });
        }

        function search() {
            const question = {};
            ['by', 'from', 'to'].forEach(function (f) { question[f] = $('#' + f).val(); });
            return ajaxCall('/api/tollgate/report/search', question, show);
        }

        $('#what').on('change', draw);
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
            <option value="client,tariff">{{ lang._('Client and tariff') }}</option>
            <option value="tariff">{{ lang._('Tariff') }}</option>
            <option value="recipient">{{ lang._('Recipient') }}</option>
            <option value="domain">{{ lang._('Domain') }}</option>
            <option value="day">{{ lang._('Day') }}</option>
        </select>
        <label for="from">{{ lang._('From') }}</label>
        <input type="text" class="form-control" id="from" maxlength="250" placeholder="2026-11-01">
        <label for="to">{{ lang._('To') }}</label>
        <input type="text" class="form-control" id="to" maxlength="250">
        <label for="what">{{ lang._('Chart') }}</label>
        <select class="form-control" id="what">
            <option value="charged">{{ lang._('Charged') }}</option>
            <option value="cost">{{ lang._('Cost') }}</option>
            <option value="deliveries">{{ lang._('Deliveries') }}</option>
        </select>
        <button type="submit" class="btn btn-primary">{{ lang._('Search') }}</button>
    </form>
    <div id="problem" class="alert alert-danger hidden" role="alert"></div>
    <div id="none" class="alert alert-info hidden" role="status">{{ lang._('Nothing found.') }}</div>
    <div id="chart" style="margin: 1em 0 .3em;"></div>
    <div id="legend"></div>
    <table id="rows" class="table table-striped table-condensed">
        <thead></thead>
        <tbody></tbody>
    </table>
</div>
