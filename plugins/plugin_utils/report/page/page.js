(function () {
  'use strict';
  var table = document.getElementById('table');
  var tools = document.querySelector('.tools');
  if (!table || !tools) { return; }
  var block = document.getElementById('data');
  var data = block ? JSON.parse(block.textContent) : null;
  var most = data ? 200 : Infinity;
  var items = data ? data.rows.map(fromData) : Array.prototype.map.call(table.tBodies, fromBody);
  var filter = document.getElementById('filter');
  var status = document.getElementById('status');
  var shown = document.getElementById('shown');
  var none = document.querySelector('.none');

  function fromBody(body) {
    return {
      body: body,
      status: body.dataset.status || '',
      text: function () { return body.textContent; },
      key: function (column) {
        var cell = body.rows[0].cells[column];
        return cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v;
      }
    };
  }

  function fromData(row) {
    return {
      row: row,
      status: row[1],
      text: function () {
        var cells = row[0].map(function (cell) { return cell[0] + ' ' + (cell[1] || ''); });
        var facts = row[3].map(function (fact) { return fact[1]; });
        var ids = row[4].map(function (list) { return list[1].map(function (at) { return data.ids[at]; }).join(' '); });
        return cells.concat(row[2], facts, ids).join(' ');
      },
      key: function (column) {
        var cell = row[0][column];
        return cell[3] === undefined ? cell[0] : String(cell[3]);
      }
    };
  }

  function element(name, text, kind) {
    var made = document.createElement(name);
    if (text !== undefined && text !== '') { made.textContent = text; }
    if (kind) { made.className = kind; }
    return made;
  }

  function put(parent, name, text, kind) {
    return parent.appendChild(element(name, text, kind));
  }

  function mark(tone) {
    var space = document.querySelector('svg').namespaceURI;
    var svg = document.createElementNS(space, 'svg');
    var use = document.createElementNS(space, 'use');
    svg.setAttribute('class', 'mark m-' + tone);
    svg.setAttribute('width', '12');
    svg.setAttribute('height', '12');
    svg.setAttribute('aria-hidden', 'true');
    use.setAttribute('href', '#m-' + tone);
    svg.appendChild(use);
    return svg;
  }

  function build(row) {
    var body = element('tbody');
    var line = put(body, 'tr');
    row[0].forEach(function (cell, column) {
      var head = data.columns[column];
      var td = put(line, 'td', '', head[1] + (cell[2] ? ' st t-' + cell[2] : ''));
      if (column === 0) {
        var toggle = put(td, 'details', '', 'toggle');
        put(put(toggle, 'summary'), 'bdi', cell[0]);
        toggle.addEventListener('toggle', function () { if (!more.firstChild.firstChild) { details(more.firstChild, row); } });
        if (cell[1]) { put(put(td, 'code', '', 'quiet'), 'bdi', cell[1]); }
        return;
      }
      td.dataset.label = head[0];
      if (cell[2]) { td.appendChild(mark(cell[2])); }
      put(td, 'bdi', cell[0]);
      if (cell[1]) { put(put(td, 'span', '', 'quiet sub'), 'bdi', cell[1]); }
    });
    var more = put(body, 'tr', '', 'more');
    put(more, 'td').colSpan = data.columns.length;
    return body;
  }

  function details(into, row) {
    if (row[2]) { put(put(into, 'p'), 'bdi', row[2]); }
    var facts = put(into, 'dl', '', 'detail');
    row[3].forEach(function (fact) {
      var pair = put(facts, 'div');
      put(pair, 'dt', fact[0]);
      put(put(pair, 'dd'), 'bdi', fact[1]);
    });
    row[4].forEach(function (list) {
      put(into, 'h4', list[0] + ' ' + list[2].toLocaleString('en'));
      var ids = put(into, 'ul', '', 'ids');
      list[1].forEach(function (at) { put(put(ids, 'li'), 'bdi', data.ids[at]); });
      if (list[2] > list[1].length) { put(ids, 'li', 'and ' + (list[2] - list[1].length) + ' more', 'more-of'); }
    });
  }

  function fits(item, words, wanted) {
    if (wanted && item.status !== wanted) { return false; }
    if (!words.length) { return true; }
    item.lower = item.lower || item.text().toLowerCase();
    return words.every(function (word) { return item.lower.indexOf(word) >= 0; });
  }

  function apply() {
    var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    var found = items.filter(function (item) { return fits(item, words, status ? status.value : ''); });
    Array.prototype.slice.call(table.tBodies).forEach(function (body) { table.removeChild(body); });
    found.slice(0, most).forEach(function (item) {
      item.body = item.body || build(item.row);
      table.appendChild(item.body);
    });
    var count = found.length.toLocaleString('en');
    shown.textContent = found.length > most ? count + ' match, the first ' + most + ' are shown' : count + ' shown';
    none.hidden = found.length > 0;
  }

  function key(item, column) {
    var value = item.key(column);
    return value !== '' && isFinite(value) ? Number(value) : value.toLowerCase();
  }

  function compare(a, b) {
    if (typeof a === typeof b) { return a < b ? -1 : a > b ? 1 : 0; }
    return typeof a === 'number' ? -1 : 1;
  }

  function sort(head, column) {
    var down = head.getAttribute('aria-sort') === 'ascending';
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (cell) { cell.removeAttribute('aria-sort'); });
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    var keys = new Map(items.map(function (item) { return [item, key(item, column)]; }));
    items.sort(function (a, b) { return (down ? -1 : 1) * compare(keys.get(a), keys.get(b)); });
    apply();
  }

  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
    var button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.textContent = head.textContent;
    button.addEventListener('click', function () { sort(head, column); });
    head.textContent = '';
    head.appendChild(button);
  });
  filter.addEventListener('input', apply);
  if (status) { status.addEventListener('change', apply); }
  tools.hidden = false;
  apply();
}());
