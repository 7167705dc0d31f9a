{#
 # Copyright (c) 2026 The tollgate authors
 # SPDX-License-Identifier: BSD-2-Clause
 #}

<script>
    $(document).ready(function () {
        const columns = [
            ['time', '{{ lang._('Time') }}'],
            ['kind', '{{ lang._('Kind') }}'],
            ['verdict', '{{ lang._('Verdict') }}'],
            ['sender', '{{ lang._('Sender') }}'],
            ['recipients', '{{ lang._('Recipients') }}'],
            ['recipient', '{{ lang._('Recipient') }}'],
            ['subject', '{{ lang._('Subject') }}'],
            ['rule', '{{ lang._('Rule') }}'],
            ['reply', '{{ lang._('Reply') }}'],
            ['ref', '{{ lang._('Reference') }}'],
            ['queue_id', '{{ lang._('Queue ID') }}']
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
                const ref = row.ref;
                if (ref) {
                    tr.append($('<td/>').append(
                        $('<button type="button" class="btn btn-xs btn-default"/>').text('{{ lang._('Story') }}')
                            .on('click', function () { story(ref); })
                    ));
                }
                body.append(tr);
            });
            $('#none').toggleClass('hidden', (answer.rows || []).length > 0 || !!answer.error);
        }

        function story(ref) {
            ajaxCall('/api/tollgate/journal/story', {'ref': ref}, function (answer) {
                $('#story').removeClass('hidden').text(answer.text || answer.error);
            });
        }

        function search() {
            $('#story').addClass('hidden');
            const question = {};
            ['recipient', 'sender', 'client_ip', 'ref', 'queue_id', 'subject', 'since', 'until'].forEach(function (f) { question[f] = $('#' + f).val(); });
            return ajaxCall('/api/tollgate/journal/search', question, show);
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
        <label for="recipient">{{ lang._('Recipient') }}</label>
        <input type="text" class="form-control" id="recipient" maxlength="250" placeholder="ivan@example.org">
        <label for="sender">{{ lang._('Sender') }}</label>
        <input type="text" class="form-control" id="sender" maxlength="250">
        <label for="ref">{{ lang._('Reference') }}</label>
        <input type="text" class="form-control" id="ref" maxlength="250">
        <label for="queue_id">{{ lang._('Queue ID') }}</label>
        <input type="text" class="form-control" id="queue_id" maxlength="250">
        <label for="subject">{{ lang._('Subject') }}</label>
        <input type="text" class="form-control" id="subject" maxlength="250">
        <label for="client_ip">{{ lang._('Client address') }}</label>
        <input type="text" class="form-control" id="client_ip" maxlength="250">
        <label for="since">{{ lang._('Since') }}</label>
        <input type="text" class="form-control" id="since" maxlength="250" placeholder="yesterday">
        <label for="until">{{ lang._('Until') }}</label>
        <input type="text" class="form-control" id="until" maxlength="250">
        <button type="submit" class="btn btn-primary">{{ lang._('Search') }}</button>
    </form>
    <div id="problem" class="alert alert-danger hidden" role="alert"></div>
    <div id="none" class="alert alert-info hidden" role="status">{{ lang._('Nothing found.') }}</div>
    <pre id="story" class="hidden"></pre>
    <table id="rows" class="table table-striped table-condensed">
        <thead></thead>
        <tbody></tbody>
    </table>
</div>
