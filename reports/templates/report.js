// Sorts, filters and groups what is on the page already; without it everything can be read. Nothing
// here makes markup out of text, and nothing reaches a network. What is chosen stands in the fragment
// of the address, so that it can be sent to others: #view?benchmarks.sort=-rtfx&benchmarks.group=audio
'use strict';
(() => {
  const PREFIX = '#view?';
  // From how many rows on a table is large, and how many of its rows come into sight at once.
  const LARGE = 300;
  const PIECE = 150;
  const explorers = new Map();
  let applying = false;

  const make = (name, text, classes) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (classes) made.className = classes;
    return made;
  };

  // ---- The address -------------------------------------------------------------------------------

  const readState = () =>
    new URLSearchParams(location.hash.startsWith(PREFIX) ? location.hash.slice(PREFIX.length) : '');

  const writeState = () => {
    if (applying) return;
    const state = new URLSearchParams();
    for (const [name, explorer] of explorers) {
      if (explorer.sort) state.set(name + '.sort', (explorer.descending ? '-' : '') + explorer.sort);
      if (explorer.group.value) state.set(name + '.group', explorer.group.value);
      if (explorer.filter.value.trim()) state.set(name + '.filter', explorer.filter.value.trim());
    }
    if (bound && bound.value !== '') state.set('wer', bound.value);
    if (heat && heat.chosen) state.set('heat', heat.rows.value + ',' + heat.columns.value);
    const text = state.toString();
    try {
      history.replaceState(null, '', text ? PREFIX + text : location.pathname + location.search);
    } catch {
      // A page without an address of its own keeps its state to itself.
    }
  };

  // ---- Tables ------------------------------------------------------------------------------------

  // The words of a filter: `name=value` and `name~part` look at an axis, other words at the row.
  const parse = (text, axes) => text.trim().toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const found = /^([^=~]+)([=~])(.*)$/.exec(word);
    const axis = found ? axes.findIndex((name) => name.toLowerCase() === found[1]) : -1;
    if (axis < 0) return (row) => row.text.includes(word);
    const wanted = found[3];
    return found[2] === '='
      ? (row) => row.axes[axis].toLowerCase().split(', ').includes(wanted)
      : (row) => row.axes[axis].toLowerCase().includes(wanted);
  });

  const explore = (table) => {
    const controls = document.querySelector('.controls[data-for="' + table.dataset.name + '"]');
    if (!controls) return;
    const group = controls.querySelector('select.group');
    const filter = controls.querySelector('input.filter');
    const output = controls.querySelector('output');
    const axes = Array.from(group.options).slice(1).map((option) => option.value);
    const heads = Array.from(table.tHead.rows[0].cells);
    const rows = Array.from(table.tBodies, (body) => ({
      body,
      axes: axes.map((_, at) => body.getAttribute('data-x' + at) || ''),
      values: heads.map((_, at) => {
        const cell = body.rows[0].cells[at];
        if (at === 0) return cell.textContent.trim().toLowerCase();
        const value = cell.getAttribute('data-v');
        return value === null || value === '' ? null : Number(value);
      }),
      text: '',
    }));
    for (const row of rows) row.text = row.values[0] + ' ' + row.axes.join(' ').toLowerCase();
    let headings = [];
    let revealing = 0;
    const reveal = (later) => {
      clearTimeout(revealing);
      if (later.length === 0) return;
      revealing = setTimeout(() => {
        for (const row of later.slice(0, PIECE)) row.body.classList.remove('later');
        reveal(later.slice(PIECE));
      }, 0);
    };
    const explorer = { sort: '', descending: false, group, filter, rows, axes };

    const compare = (at, sign) => (one, other) => {
      const [left, right] = [one.values[at], other.values[at]];
      if (left === null || right === null) return (left === null) - (right === null);
      if (left < right) return -sign;
      return left > right ? sign : 0;
    };

    explorer.show = () => {
      const tests = parse(filter.value, axes);
      const at = heads.findIndex((head) => head.dataset.key === explorer.sort);
      const sorted = rows.slice();
      if (at >= 0) sorted.sort(compare(at, explorer.descending ? -1 : 1));
      for (const head of heads) {
        const word = explorer.descending ? 'descending' : 'ascending';
        head.setAttribute('aria-sort', head === heads[at] ? word : 'none');
      }
      let shown = 0;
      for (const row of sorted) {
        row.kept = tests.every((test) => test(row));
        row.body.hidden = !row.kept;
        if (row.kept) shown += 1;
      }
      for (const heading of headings) heading.remove();
      headings = [];
      const axis = axes.indexOf(group.value);
      const place = document.createDocumentFragment();
      if (axis < 0) {
        for (const row of sorted) place.append(row.body);
      } else {
        const groups = new Map();
        for (const row of sorted) {
          const name = row.axes[axis];
          if (!groups.has(name)) groups.set(name, []);
          groups.get(name).push(row);
        }
        sorted.length = 0;
        for (const [name, members] of groups) {
          sorted.push(...members);
          const kept = members.filter((row) => row.kept).length;
          const body = make('tbody', undefined, 'heading');
          const line = body.appendChild(make('tr'));
          const head = line.appendChild(make('th', (name || 'none') + ' '));
          head.scope = 'rowgroup';
          head.colSpan = heads.length;
          head.append(make('span', kept === 1 ? '1 row' : kept + ' rows', 'soft'));
          body.hidden = kept === 0;
          headings.push(body);
          place.append(body, ...members.map((row) => row.body));
        }
      }
      // Rows by the thousand come into sight bit by bit, so that the page answers meanwhile.
      const later = rows.length > LARGE ? sorted.filter((row) => row.kept).slice(PIECE) : [];
      for (const row of rows) row.body.classList.remove('later');
      for (const row of later) row.body.classList.add('later');
      table.append(place);
      reveal(later);
      output.textContent = shown === rows.length ? rows.length + ' rows' : shown + ' of ' + rows.length + ' rows';
      writeState();
    };

    for (const head of heads) {
      const button = make('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        // Up, down, and back to the order of the plan.
        if (explorer.sort !== head.dataset.key) {
          explorer.sort = head.dataset.key;
          explorer.descending = false;
        } else if (!explorer.descending) {
          explorer.descending = true;
        } else {
          explorer.sort = '';
          explorer.descending = false;
        }
        explorer.show();
      });
    }
    group.addEventListener('change', explorer.show);
    let waiting = 0;
    filter.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(explorer.show, rows.length > LARGE ? 150 : 0);
    });
    explorer.restore = (state) => {
      const sort = state.get(table.dataset.name + '.sort') || '';
      const key = sort.replace(/^-/, '');
      explorer.sort = heads.some((head) => head.dataset.key === key) ? key : '';
      explorer.descending = explorer.sort !== '' && sort.startsWith('-');
      const wanted = state.get(table.dataset.name + '.group') || '';
      group.value = axes.includes(wanted) ? wanted : '';
      filter.value = state.get(table.dataset.name + '.filter') || '';
    };
    output.textContent = rows.length + ' rows';
    for (const head of heads) head.setAttribute('aria-sort', 'none');
    controls.hidden = false;
    explorers.set(table.dataset.name, explorer);
  };

  // ---- The fastest within a bound ----------------------------------------------------------------

  const bound = document.getElementById('bound-input');

  const showBound = () => {
    const limit = bound.value === '' ? null : Number(bound.value) / 100;
    for (const section of document.querySelectorAll('section.group')) {
      const answer = section.querySelector('.bound-answer');
      if (!answer) continue;
      let chosen = null;
      for (const step of section.querySelectorAll('table.steps tbody tr')) {
        step.classList.remove('chosen');
        step.removeAttribute('aria-current');
        if (limit !== null && Number(step.dataset.rate) <= limit + 1e-12) chosen = step;
      }
      answer.hidden = limit === null;
      if (limit === null) continue;
      const within = 'WER ≤ ' + bound.value + ' %';
      if (chosen) {
        chosen.classList.add('chosen');
        chosen.setAttribute('aria-current', 'true');
        const [rate, name, speed] = Array.from(chosen.cells, (cell) => cell.firstChild.textContent.trim());
        answer.textContent = 'Fastest with ' + within + ': ' + name + ' at ' + speed + ' (WER ' + rate + ').';
      } else {
        answer.textContent = 'None reaches ' + within + '.';
      }
    }
  };

  // ---- Heat maps ---------------------------------------------------------------------------------

  const heatControls = document.getElementById('heat-controls');
  const heat = heatControls && {
    rows: document.getElementById('heat-rows'),
    columns: document.getElementById('heat-columns'),
    chosen: false,
  };

  const show = {
    WER: (sums) => (sums.words > 0 ? sums.errors / sums.words : null),
    RTFx: (sums) => (sums.time > 0 ? sums.seconds / sums.time : null),
  };
  // Written as the page that came was: a number between two goes to the even one.
  const fixed = (number, digits) => {
    const between = number * 2 ** (digits + 1);
    if (!Number.isInteger(between) || between % 2 === 0) return number.toFixed(digits);
    const below = Math.floor(number * 10 ** digits);
    return ((below % 2 === 0 ? below : below + 1) / 10 ** digits).toFixed(digits);
  };
  const write = {
    WER: (number) => fixed(number * 100, 1) + ' %',
    RTFx: (number) => fixed(number, number < 10 ? 2 : 1) + ' ×',
  };

  const drawHeat = () => {
    const source = explorers.get('benchmarks');
    const [down, across] = [heat.rows.value, heat.columns.value].map((name) => source.axes.indexOf(name));
    const pools = heat.rows.value !== 'audio' && heat.columns.value !== 'audio';
    for (const section of document.querySelectorAll('section.heat')) {
      // What is no measurement has a cell only where nothing was measured.
      const [cells, standIns] = [new Map(), new Map()];
      const [names, heads, recordings] = [new Set(), new Set(), new Set()];
      for (const row of source.rows) {
        const data = row.body.dataset;
        if (data.kind !== section.dataset.kind) continue;
        const key = JSON.stringify([row.axes[down], row.axes[across]]);
        names.add(row.axes[down]);
        heads.add(row.axes[across]);
        recordings.add(data.audio);
        const synthetic = data.synthetic !== undefined;
        const places = synthetic ? standIns : cells;
        if (!places.has(key)) {
          places.set(key, { errors: 0, words: 0, seconds: 0, time: 0, audio: new Set(), synthetic });
        }
        const sums = places.get(key);
        sums.errors += Number(data.errors || 0);
        sums.words += Number(data.words || 0);
        sums.seconds += Number(data.seconds);
        sums.time += Number(data.time);
        sums.audio.add(data.audio);
      }
      const isMeasured = cells.size > 0;
      for (const [key, sums] of standIns) {
        if (!cells.has(key)) cells.set(key, sums);
      }
      const isPartial = (sums) => pools && sums.audio.size < recordings.size;
      const isComparable = (sums) => !isPartial(sums) && !(isMeasured && sums.synthetic);
      section.querySelector('h3 span').textContent = heat.rows.value + ' by ' + heat.columns.value;
      section.querySelector('.partly').hidden = !Array.from(cells.values()).some(isPartial);
      section.querySelector('.stand-in').hidden = !Array.from(cells.values()).some((sums) => sums.synthetic);
      for (const table of section.querySelectorAll('table.map')) {
        const metric = table.dataset.metric;
        const whole = Array.from(cells.values()).filter(isComparable);
        const numbers = whole.map(show[metric]).filter((number) => number !== null);
        const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
        const tint = (number) => {
          const share = metric === 'WER'
            ? (most - number) / (most - least)
            : Math.log(number / least) / Math.log(most / least);
          return Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * 6) : 0;
        };
        const head = make('tr');
        head.append(make('td'));
        for (const name of heads) {
          head.append(Object.assign(make('th', name || '–'), { scope: 'col' }));
        }
        const body = Array.from(names, (name) => {
          const line = make('tr');
          line.append(Object.assign(make('th', name || '–'), { scope: 'row' }));
          for (const other of heads) {
            const sums = cells.get(JSON.stringify([name, other]));
            const number = sums ? show[metric](sums) : null;
            const cell = line.appendChild(make('td', undefined, 'number'));
            if (number === null) continue;
            cell.textContent = write[metric](number);
            const mark = (sign, title) => cell.append(Object.assign(make('span', sign, 'soft'), { title }));
            cell.classList.add('t' + (isComparable(sums) ? tint(number) : 0));
            const isBest = number === (metric === 'WER' ? least : most) && least !== most;
            if (isBest && isComparable(sums) && !sums.synthetic) cell.classList.add('best');
            if (isPartial(sums)) mark('*', 'not all recordings');
            if (sums.synthetic) mark('†', 'synthetic: no measurement');
          }
          return line;
        });
        table.tHead.replaceChildren(head);
        table.tBodies[0].replaceChildren(...body);
        table.parentElement.setAttribute(
          'aria-label',
          metric + ' by ' + heat.rows.value + ' and ' + heat.columns.value + ', ' + section.dataset.kind,
        );
      }
    }
  };

  const prepareHeat = () => {
    const source = explorers.get('benchmarks');
    const title = document.querySelector('section.heat h3 span').textContent.split(' by ');
    for (const select of [heat.rows, heat.columns]) {
      for (const name of source.axes) select.append(make('option', name));
    }
    [heat.rows.value, heat.columns.value] = title;
    heat.first = title;
    for (const select of [heat.rows, heat.columns]) {
      select.addEventListener('change', () => {
        heat.chosen = true;
        drawHeat();
        writeState();
      });
    }
    heatControls.hidden = false;
  };

  // ---- All of it ---------------------------------------------------------------------------------

  const restore = () => {
    const state = readState();
    applying = true;
    for (const [name, explorer] of explorers) {
      explorer.restore(state);
      const wanted = ['sort', 'group', 'filter'].some((key) => state.has(name + '.' + key));
      if (wanted || explorer.touched) explorer.show();
      explorer.touched = wanted;
    }
    if (bound) {
      bound.value = state.get('wer') || '';
      showBound();
    }
    if (heat && explorers.has('benchmarks')) {
      const axes = explorers.get('benchmarks').axes;
      const pair = (state.get('heat') || '').split(',');
      const known = pair.length === 2 && pair.every((name) => axes.includes(name));
      if (known || heat.chosen) {
        [heat.rows.value, heat.columns.value] = known ? pair : heat.first;
        heat.chosen = known;
        drawHeat();
      }
    }
    applying = false;
  };

  for (const table of document.querySelectorAll('table.explore')) explore(table);
  if (bound) {
    bound.addEventListener('input', () => {
      showBound();
      writeState();
    });
    document.getElementById('bound').hidden = false;
  }
  if (heat && explorers.has('benchmarks')) prepareHeat();
  restore();
  window.addEventListener('hashchange', () => {
    // A link to a part of the page is no choice of how to show it.
    if (location.hash.startsWith(PREFIX)) restore();
  });
  window.addEventListener('beforeprint', () => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
})();
