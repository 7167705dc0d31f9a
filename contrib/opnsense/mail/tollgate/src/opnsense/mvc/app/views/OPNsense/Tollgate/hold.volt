{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        const columns = [
            ['queue_id', '{{ lang._('Queue ID') }}'],
            ['time', '{{ lang._('Time') }}'],
            ['sender', '{{ lang._('Sender') }}'],
            ['recipients', '{{ lang._('Recipients') }}'],
            ['subject', '{{ lang._('Subject') }}'],
            ['size', '{{ lang._('Size') }}'],
            ['reason', '{{ lang._('Reason') }}']
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
                const id = row.queue_id;
                tr.append($('<td/>').append(
                    $('<button type="button" class="btn btn-xs btn-default"/>').text('{{ lang._('Release') }}')
                        .on('click', function () { act('release', id); }),
                    $('<button type="button" class="btn btn-xs btn-danger"/>').text('{{ lang._('Delete') }}')
                        .on('click', function () {
                            BootstrapDialog.confirm('{{ lang._('Delete this message for good?') }}', function (yes) {
                                if (yes) { act('delete', id); }
                            });
                        })
                ));
                body.append(tr);
            });
            $('#none').toggleClass('hidden', (answer.rows || []).length > 0 || !!answer.error);
        }

        function search() {
            const question = {};
            [].forEach(function (f) { question[f] = $('#' + f).val(); });
            return ajaxCall('/api/tollgate/hold/search', question, show);
        }

        function act(what, id) {
            ajaxCall('/api/tollgate/hold/' + what, {'queue_id': id}, function (answer) {
                if (answer.error) {
                    show(answer);
                } else {
                    search();
                }
            });
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
