(function () {
  'use strict';
  var table = document.getElementById('table');
  var tools = document.querySelector('.tools');
  if (!table || !tools) { return; }
  var bodies = Array.prototype.slice.call(table.tBodies);
  var texts = bodies.map(function (body) { return body.textContent.toLowerCase(); });
  var filter = document.getElementById('filter');
  var status = document.getElementById('status');
  var shown = document.getElementById('shown');
  var none = document.querySelector('.none');

  function apply() {
    var words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    var wanted = status ? status.value : '';
    var count = 0;
    bodies.forEach(function (body, index) {
      var fits = (!wanted || body.dataset.status === wanted) &&
        words.every(function (word) { return texts[index].indexOf(word) >= 0; });
      body.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = count.toLocaleString('en') + ' shown';
    none.hidden = count > 0;
  }

  function key(body, column) {
    var cell = body.rows[0].cells[column];
    var value = cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v;
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
    var order = Array.prototype.slice.call(table.tBodies);
    var keys = new Map(order.map(function (body) { return [body, key(body, column)]; }));
    order.sort(function (a, b) { return (down ? -1 : 1) * compare(keys.get(a), keys.get(b)); });
    order.forEach(function (body) { table.appendChild(body); });
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
}());
