/*
 * Copyright (c) 2026 The tollgate authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands in for the part of OPNsense's page library that the plugin's pages call,
 * small and without its looks.
 */

function ajaxCall(url, data, done) {
    return $.ajax({
        type: 'POST', url: url, dataType: 'json', contentType: 'application/json', data: JSON.stringify(data || {})
    }).done(function (answer) { if (done) { done(answer, 'success'); } });
}

function ajaxGet(url, data, done) {
    return $.ajax({type: 'GET', url: url, dataType: 'json', data: data}).done(function (answer) {
        if (done) { done(answer, 'success'); }
    });
}

function updateServiceControlUI() {}
function formatTokenizersUI() {}
$.fn.selectpicker = function () { return this; };

/* A value of the API: text, or the choices of a field with the selected ones marked. */
function plain(value) {
    if (value !== null && typeof value === 'object') {
        return Object.keys(value).filter(function (k) { return Number(value[k].selected); }).join(',');
    }
    return value;
}

function fill(form, values, prefix) {
    Object.keys(values).forEach(function (name) {
        const id = prefix + '.' + name;
        const field = form.find('[id="' + id + '"]');
        const value = values[name];
        if (!field.length) {
            if (value !== null && typeof value === 'object') { fill(form, value, id); }
            return;
        }
        if (field.is('select') && typeof value === 'object') {
            field.empty();
            Object.keys(value).forEach(function (k) {
                field.append($('<option/>').val(k).text(value[k].value).prop('selected', !!Number(value[k].selected)));
            });
        } else if (field.is(':checkbox')) {
            field.prop('checked', value === '1');
        } else {
            field.val(plain(value));
        }
    });
}

function read(form) {
    const all = {};
    form.find('[id]').filter('input, select, textarea').each(function () {
        const path = this.id.split('.');
        let at = all;
        path.slice(0, -1).forEach(function (p) { at = at[p] = at[p] || {}; });
        const value = $(this).is(':checkbox') ? ($(this).prop('checked') ? '1' : '0') : $(this).val();
        at[path[path.length - 1]] = Array.isArray(value) ? value.join(',') : value;
    });
    return all;
}

function mapDataToFormUI(map) {
    return $.when.apply($, Object.keys(map).map(function (id) {
        return ajaxGet(map[id], {}, function (answer) {
            Object.keys(answer).forEach(function (name) { fill($('#' + id), answer[name], name); });
        });
    }));
}

function complain(form, answer) {
    form.find('.problem').text('');
    Object.keys(answer.validations || {}).forEach(function (id) {
        form.find('[data-for="' + id + '"]').text(answer.validations[id]);
    });
}

function saveFormToEndpoint(url, id, done, focus, failed) {
    ajaxCall(url, read($('#' + id)), function (answer) {
        complain($('#' + id), answer);
        if (answer.result === 'saved') { done(answer); } else if (failed) { failed(answer); }
    });
}

$.fn.SimpleActionButton = function (o) {
    const button = this;
    return button.on('click', function () {
        const before = o && o.onPreAction ? o.onPreAction() : $.when();
        before.done(function () {
            ajaxCall(button.data('endpoint'), {}, function (answer) {
                if (o && o.onAction) { o.onAction(answer, 'success'); }
                $('#applied').text(answer.status);
            });
        });
    });
};

$.fn.UIBootgrid = function (o) {
    const table = this;
    const dialog = $('#' + table.data('dialog'));
    let editing = null;
    function open(uuid) {
        editing = uuid;
        ajaxGet(o.get + (uuid || ''), {}, function (answer) {
            complain(dialog, {});
            Object.keys(answer).forEach(function (name) { fill(dialog, answer[name], name); });
            dialog.removeClass('hidden');
        });
    }
    function load() {
        return ajaxCall(o.search, {}, function (answer) {
            const body = table.find('tbody').empty();
            answer.rows.forEach(function (row) {
                const tr = $('<tr/>').attr('data-uuid', row.uuid);
                table.find('th[data-column]').each(function () {
                    tr.append($('<td/>').text(row[$(this).data('column')]));
                });
                tr.append($('<td/>').append(
                    $('<button type="button" class="edit"/>').text('e').on('click', function () { open(row.uuid); }),
                    $('<button type="button" class="remove"/>').text('x').on('click', function () {
                        ajaxCall(o.del + row.uuid, {}, load);
                    })
                ));
                body.append(tr);
            });
        });
    }
    table.find('.add').on('click', function () { open(null); });
    dialog.find('.cancel').on('click', function () { dialog.addClass('hidden'); });
    dialog.find('.save').on('click', function () {
        ajaxCall(editing ? o.set + editing : o.add, read(dialog), function (answer) {
            complain(dialog, answer);
            if (answer.result === 'saved') {
                dialog.addClass('hidden');
                load();
            }
        });
    });
    load();
    return this;
};

const BootstrapDialog = {
    confirm: function (text, then) {
        const box = $('<div class="confirm"/>').append($('<p/>').text(text));
        [['yes', true], ['no', false]].forEach(function (b) {
            box.append($('<button type="button"/>').addClass(b[0]).text(b[0]).on('click', function () {
                box.remove();
                then(b[1]);
            }));
        });
        $('body').append(box);
    }
};

$(document).ready(function () {
    $('a[data-toggle="tab"]').on('click', function (event) {
        event.preventDefault();
        $('.tab-pane').addClass('hidden');
        $($(this).attr('href')).removeClass('hidden');
    });
    $('.tab-pane').not('.active').addClass('hidden');
});
