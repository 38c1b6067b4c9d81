#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""qapi_gen.py - the schema of every command, event and option, made into C

Usage: qapi_gen.py OUTDIR FILE.json...

A schema file holds JSON objects with '#' comments; strings may be in single quotes. Kinds of entry:
  { 'enum': NAME, 'data': [ VALUE... ], 'prefix': OF_C_CONSTANTS }
  { 'struct': NAME, 'data': { MEMBER: TYPE... }, 'base': STRUCT }          '*member' is optional, ['T'] a list
  { 'union': NAME, 'base': { MEMBER: TYPE... }, 'discriminator': MEMBER, 'data': { VALUE: STRUCT... } }
  { 'command': NAME, 'data': {...} or TYPE, 'returns': TYPE, 'allow-oob': true, 'gen': false }
  { 'event': NAME, 'data': {...}, 'rate-ms': N }
  { 'option': NAME, 'arg': TEXT, 'data': TYPE, 'implied': MEMBER, 'aliases': [...], 'group': HEADING,
    'handler': NAME, 'unbuilt': true, 'removed': HINT }                    the last two have no handler
A '##' comment block before an entry documents it; its "@member:" paragraphs document the members.

Built-in types: str, path (a str in which a leading ~/ is expanded), bool, int, int8..int64, uint8..uint64, size, number, any, null,
and the struct String ({'str': 'str'}) of which only lists occur; such a list is a char ** in C.

Files written: qapi-types.h (C types and their descriptors), qapi-tables.c (descriptors, command, event and option tables, the
introspection reply), qapi-handlers.h (prototypes of what carries out commands and options) and qapi-thunks.h (one typed call
each). What is generated is data: one visitor in softmmu/qapi/visit.c walks it, so parsing and error texts exist once.
"""
import json
import os
import re
import sys

INTS = {'int': (8, 1), 'int8': (1, 1), 'int16': (2, 1), 'int32': (4, 1), 'int64': (8, 1),
        'uint8': (1, 0), 'uint16': (2, 0), 'uint32': (4, 0), 'uint64': (8, 0)}
BUILTIN = {'str', 'path', 'bool', 'size', 'number', 'any', 'null', 'String', *INTS}
# C keywords and what gnu11 predefines
RESERVED = set('auto break case char const continue default do double else enum extern float for goto if inline int long '
               'register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while '
               'unix linux i386 errno'.split()) - {'restrict'}


def die(msg):
    sys.exit('qapi_gen.py: ' + msg)


def c_name(s):
    s = re.sub(r'[^A-Za-z0-9_]', '_', s)
    if s in RESERVED or s == 'restrict' or s[0].isdigit():
        return 'q_' + s
    return s


def c_upper(s):
    s = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', s)
    s = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', s)
    return re.sub(r'[^A-Za-z0-9]', '_', s).upper()


def c_str(s):
    if s is None or s == '':
        return 'NULL'
    return json.dumps(s, ensure_ascii=True).replace('??', '?\\?')


class Doc:
    def __init__(self, lines):
        self.text, self.members, cur = [], {}, None
        if lines and re.fullmatch(r'@\S+:', lines[0]):
            lines = lines[1:]       # the name of what is documented
        for ln in lines:
            m = re.match(r'@([A-Za-z0-9_.*-]+):\s*(.*)$', ln)
            if m:
                cur = m.group(1)
                self.members[cur] = m.group(2)
            elif cur is None or re.match(r'(Since|Returns|Features|Note|Example):?', ln):
                if re.match(r'(Since|Returns|Features|Note|Example):?', ln):
                    cur = None
                self.text.append(ln)
            elif ln:
                self.members[cur] += (' ' if self.members[cur] else '') + ln

    def summary(self):
        return ' '.join(' '.join(self.text).split())


def load(path):
    """Entries of one file, in order, as (dict, Doc)."""
    out, doc, block, buf, depth = [], None, None, '', 0
    for no, raw in enumerate(open(path, encoding='utf-8'), 1):
        ln = raw.rstrip('\n')
        if block is not None:
            if ln.strip() == '##':
                doc, block = Doc(block), None
            else:
                block.append(ln.strip().lstrip('#').strip())
            continue
        if ln.strip() == '##':
            block = []
            continue
        text = re.sub(r"""^((?:[^#'"]|'[^']*'|"[^"]*")*)#.*$""", r'\1', ln)
        if not text.strip():
            continue
        buf += text + ' '
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", '', text)
        depth += sum(bare.count(c) for c in '{[') - sum(bare.count(c) for c in '}]')
        if depth < 0:
            die('%s:%d: too many closing brackets' % (path, no))
        if depth == 0:
            try:
                ent = json.loads(re.sub(r"'([^']*)'", lambda m: json.dumps(m.group(1)), buf))
            except ValueError as e:
                die('%s:%d: %s' % (path, no, e))
            if 'pragma' not in ent and 'include' not in ent:
                out.append((ent, doc or Doc([])))
            buf, doc = '', None
    if buf.strip():
        die('%s: entry not closed' % path)
    return out


class Schema:
    def __init__(self, files):
        self.types, self.commands, self.events, self.options = {}, [], [], []
        for f in files:
            for e, doc in load(f):
                self.add(e, doc, f)
        for e, _ in self.types.values():
            self.check(e)

    def add(self, e, doc, f):
        for kind in ('enum', 'struct', 'union'):
            if kind in e:
                name = e[kind]
                if name == 'String':
                    return      # built in; the schema may describe it
                if name in self.types or name in BUILTIN:
                    die('%s: type %s defined twice' % (f, name))
                e['kind'] = kind
                if kind == 'enum':
                    e['data'] = [v['name'] if isinstance(v, dict) else v for v in e['data']]
                self.types[name] = (e, doc)
                return
        if 'command' in e:
            e['arg'] = self.arg_type(e, 'qmp_%s_args' % c_name(e['command']), doc)
            self.commands.append((e, doc))
        elif 'event' in e:
            e['arg'] = self.arg_type(e, 'Event_%s' % c_name(e['event']), doc)
            self.events.append((e, doc))
        elif 'option' in e:
            self.options.append((e, doc))
        else:
            die('%s: unknown entry %r' % (f, e))

    def arg_type(self, e, implicit, doc):
        data = e.get('data')
        if data is None or data == {}:
            return None
        if isinstance(data, str):
            return data
        self.types[implicit] = ({'kind': 'struct', 'struct': implicit, 'data': data}, doc)
        return implicit

    def check(self, e):
        if e['kind'] == 'union':
            disc = self.types.get(e['base'][e['discriminator']])
            if not disc or disc[0]['kind'] != 'enum':
                die('union %s: discriminator is not an enum' % e['union'])
            for k in e['data']:
                if k not in disc[0]['data']:
                    die('union %s: branch %s is not in %s' % (e['union'], k, disc[0]['enum']))
        if e['kind'] in ('struct', 'union'):
            for _, t, _, _ in self.members(e):
                if t not in BUILTIN and t not in self.types:
                    die('type %s is not defined' % t)

    def members(self, e):
        """(name, type, optional, is_list) of the base and of the type itself."""
        out = []
        base = e.get('base')
        if isinstance(base, str):
            out += self.members(self.types[base][0])
        data = base if e['kind'] == 'union' else e['data']
        if isinstance(data, str):
            return out
        for k, t in data.items():
            if isinstance(t, dict):
                t = t['type']
            is_list = isinstance(t, list)
            out.append((k.lstrip('*'), t[0] if is_list else t, k.startswith('*'), is_list))
        return out

    def order(self):
        """Types with those first that others embed."""
        done, out = set(), []

        def visit(n):
            if n in done:
                return
            done.add(n)
            e = self.types[n][0]
            for t in e['data'].values() if e['kind'] == 'union' else ():
                visit(t)
            out.append(n)
        for n in self.types:
            visit(n)
        return out

    def kind(self, t):
        if t in INTS:
            return 'int'
        return t if t in BUILTIN else self.types[t][0]['kind']

    def c_member(self, t, is_list):
        k = self.kind(t)
        if is_list:
            if k in ('str', 'path', 'String'):
                return 'char **'
            if k in ('struct', 'union'):
                return c_name(t) + ' **'
            return 'struct jval **'      # numbers, words and the like are kept as they came
        if k in ('str', 'path'):
            return 'char *'
        if k == 'int':
            return ('int%d_t ' if INTS[t][1] else 'uint%d_t ') % (INTS[t][0] * 8)
        if k in ('struct', 'union'):
            return c_name(t) + ' *'
        return {'bool': 'bool ', 'size': 'uint64_t ', 'number': 'double ', 'any': 'struct jval *',
                'null': 'struct jval *', 'enum': c_name(t) + ' '}[k]

    def has_flag(self, t, opt, is_list):
        return opt and not is_list and self.kind(t) in ('int', 'bool', 'size', 'number', 'enum')


HEAD = '/* SPDX-License-Identifier: BSD-2-Clause */\n/* made by scripts/qapi_gen.py from softmmu/qapi; do not edit */\n'


def gen_types_h(s):
    o = [HEAD, '#ifndef QAPI_TYPES_H\n#define QAPI_TYPES_H\n', '#include "qapi/visit.h"\n']
    names = s.order()
    for n in names:
        e = s.types[n][0]
        if e['kind'] == 'enum':
            o.append('typedef enum %s {' % c_name(n))
            o += ['    %s_%s,' % (e.get('prefix', c_upper(n)), c_upper(v)) for v in e['data']]
            o.append('    %s__MAX,\n} %s;\n' % (e.get('prefix', c_upper(n)), c_name(n)))
        else:
            o.append('typedef struct %s %s;' % (c_name(n), c_name(n)))
    o.append('')
    for n in names:
        e = s.types[n][0]
        if e['kind'] == 'enum':
            continue
        o.append('struct %s {' % c_name(n))
        mem = s.members(e)
        for m, t, opt, lst in mem:
            if s.has_flag(t, opt, lst):
                o.append('    bool has_%s;' % c_name(m).removeprefix('q_'))
            o.append('    %s%s;' % (s.c_member(t, lst), c_name(m)))
        if e['kind'] == 'union':
            o.append('    union {')
            o += ['        %s %s;' % (c_name(t), c_name(v)) for v, t in e['data'].items()]
            o.append('    } u;')
        elif not mem:
            o.append('    char unused;')
        o.append('};\n')
    for n in names:
        c = c_name(n)
        o.append('extern const struct qapi_type qapi_type_%s;' % c)
        if s.types[n][0]['kind'] == 'enum':
            o.append('static inline const char *qapi_name_%s(%s v) { return qapi_enum_name(&qapi_type_%s, (int)v); }' % (c, c, c))
        else:
            o.append('static inline void qapi_free_%s(%s *o) { qapi_free(&qapi_type_%s, o); }' % (c, c, c))
            o.append('static inline %s *qapi_parse_%s(const struct jval *v, enum qapi_mode mode, Error **errp)\n'
                     '{\n    return (%s *)qapi_parse(&qapi_type_%s, v, mode, errp);\n}' % (c, c, c, c))
    o.append('\nenum qapi_event {')
    o += ['    QAPI_EVENT_%s,' % c_upper(e['event']) for e, _ in s.events]
    o.append('    QAPI_EVENT__MAX,\n};\n\n#endif')
    return '\n'.join(o) + '\n'


def builtin_ref(s, t):
    return '&qapi_type_%s' % (t if t in BUILTIN else c_name(t))


def gen_tables_c(s):
    o = [HEAD, '#include "qapi/qapi-types.h"\n#include "qapi/schema.h"\n']
    for n in s.order():
        e, doc = s.types[n]
        c = c_name(n)
        if e['kind'] == 'enum':
            o.append('static const char *const values_%s[] = { %s, NULL };' % (c, ', '.join(c_str(v) for v in e['data'])))
            o.append('static const char *const docs_%s[] = { %s, NULL };' % (c, ', '.join(c_str(doc.members.get(v)) for v in e['data'])))
            o.append('const struct qapi_type qapi_type_%s = { .name = "%s", .kind = QAPI_ENUM, .size = sizeof(%s), .values = values_%s, '
                     '.value_docs = docs_%s, .doc = %s };\n' % (c, n, c, c, c, c_str(doc.summary())))
            continue
        o.append('static const struct qapi_member members_%s[] = {' % c)
        for m, t, opt, lst in s.members(e):
            has = 'offsetof(%s, has_%s)' % (c, c_name(m).removeprefix('q_')) if s.has_flag(t, opt, lst) else 'QAPI_NO_HAS'
            o.append('    { "%s", %s, offsetof(%s, %s), %s, %d, %d, %s },' %
                     (m, builtin_ref(s, t), c, c_name(m), has, opt, lst, c_str(doc.members.get(m))))
        o.append('    { NULL },\n};')
        extra = ''
        if e['kind'] == 'union':
            disc = s.types[e['base'][e['discriminator']]][0]
            o.append('static const struct qapi_type *const branches_%s[] = { %s };' % (
                c, ', '.join('&qapi_type_' + c_name(e['data'][v]) if v in e['data'] else 'NULL' for v in disc['data'])))
            extra = ', .discriminator = "%s", .branches = branches_%s, .u_offset = offsetof(%s, u)' % (e['discriminator'], c, c)
        o.append('const struct qapi_type qapi_type_%s = { .name = "%s", .kind = QAPI_STRUCT, .size = sizeof(%s), .members = members_%s, '
                 '.doc = %s%s };\n' % (c, n, c, c, c_str(doc.summary()), extra))
    o.append('const struct qapi_command qapi_commands[] = {')
    for e, doc in sorted(s.commands, key=lambda x: x[0]['command']):
        ret = e.get('returns')
        lst = isinstance(ret, list)
        ret = ret[0] if lst else ret
        o.append('    { "%s", %s, %s, %d, %d, %d, %s },' % (
            e['command'], builtin_ref(s, e['arg']) if e['arg'] else 'NULL', builtin_ref(s, ret) if ret else 'NULL', lst,
            bool(e.get('allow-oob')), e.get('gen') is False, c_str(doc.summary())))
    o.append('    { NULL },\n};\n\nconst struct qapi_event_info qapi_events[] = {')
    for e, doc in s.events:
        o.append('    { "%s", %s, %d },' % (e['event'], builtin_ref(s, e['arg']) if e['arg'] else 'NULL', e.get('rate-ms', 0)))
    o.append('    { NULL },\n};\n\nconst struct qapi_option qapi_options[] = {')
    for e, doc in s.options:
        al = '(const char *const []){ %s, NULL }' % ', '.join(c_str(a) for a in e['aliases']) if e.get('aliases') else 'NULL'
        o.append('    { "%s", %s, %s, %s, %s, %s, %s, %d, %s },' % (
            e['option'], c_str(e.get('arg')), builtin_ref(s, e['data']) if e.get('data') else 'NULL', c_str(e.get('implied')), al,
            c_str(e.get('group')), c_str(doc.summary()), bool(e.get('unbuilt')), c_str(e.get('removed'))))
    o.append('    { NULL },\n};\n')
    text = json.dumps(introspect(s), separators=(',', ':'))
    o.append('const char qapi_schema_json[] =')
    o += ['    ' + json.dumps(text[i:i + 100]) for i in range(0, len(text), 100)]
    o[-1] += ';'
    return '\n'.join(o) + '\n'


def introspect(s):
    """The reply of query-qmp-schema: types are numbered, commands and events keep their names."""
    num, out, todo = {}, [], []
    basic = {'path': 'str', 'size': 'int', 'String': None, **{t: 'int' for t in INTS}}

    def ref(t, lst):
        if t in BUILTIN and t != 'String':
            t = basic.get(t, t)
        key = ('list', t) if lst else t
        if not lst and t in BUILTIN and t != 'String':
            if t not in num:
                num[t] = t
                out.append({'name': t, 'meta-type': 'builtin',
                            'json-type': {'str': 'string', 'bool': 'boolean', 'any': 'value'}.get(t, t)})
            return t
        if key not in num:
            num[key] = str(len(num)) if not lst else '[%s]' % ref(t, False)
            todo.append((key, t, lst))
        return num[key]

    def define(key, t, lst):
        if lst:
            return {'name': num[key], 'meta-type': 'array', 'element-type': ref(t, False)}
        if t == 'String':
            return {'name': num[key], 'meta-type': 'object', 'members': [{'name': 'str', 'type': ref('str', False)}]}
        e = s.types[t][0]
        if e['kind'] == 'enum':
            return {'name': num[key], 'meta-type': 'enum', 'members': [{'name': v} for v in e['data']], 'values': e['data']}
        mem = []
        for m, mt, opt, ml in s.members(e):
            d = {'name': m, 'type': ref(mt, ml)}
            if opt:
                d['default'] = None
            mem.append(d)
        d = {'name': num[key], 'meta-type': 'object', 'members': mem}
        if e['kind'] == 'union':
            d['tag'] = e['discriminator']
            d['variants'] = [{'case': v, 'type': ref(bt, False)} for v, bt in e['data'].items()]
        return d

    def empty():
        if '' not in num:
            num[''] = str(len(num))
            out.append({'name': num[''], 'meta-type': 'object', 'members': []})
        return num['']

    for e, _ in s.commands:
        r = e.get('returns')
        d = {'name': e['command'], 'meta-type': 'command', 'arg-type': ref(e['arg'], False) if e['arg'] else empty(),
             'ret-type': (ref(r[0], True) if isinstance(r, list) else ref(r, False)) if r else empty()}
        if e.get('allow-oob'):
            d['allow-oob'] = True
        if e.get('features'):
            d['features'] = e['features']
        out.append(d)
    for e, _ in s.events:
        out.append({'name': e['event'], 'meta-type': 'event', 'arg-type': ref(e['arg'], False) if e['arg'] else empty()})
    while todo:
        out.append(define(*todo.pop(0)))
    return out


def handled(e):
    return not e.get('unbuilt') and not e.get('removed')


def opt_name(e):
    return re.sub(r'[^A-Za-z0-9_]', '_', e.get('handler', e['option']))


def gen_handlers_h(s):
    o = [HEAD, '#ifndef QAPI_HANDLERS_H\n#define QAPI_HANDLERS_H\n', '#include "qapi/qapi-types.h"\n',
         'struct qmp_call;\nstruct vm_options;\n',
         '/* Commands: false with *errp set, or true with *ret set or left alone (an empty object is returned then). */']
    for e, _ in s.commands:
        a = 'const struct jval *args' if e.get('gen') is False else 'const %s *args' % (c_name(e['arg']) if e['arg'] else 'void')
        o.append('bool qmp_%s(struct qmp_call *call, %s, struct jval **ret, Error **errp);' % (c_name(e['command']), a))
    o.append('\n/* Options: @arg is NULL for one without argument. */')
    o += ['bool opt_%s(struct vm_options *o, const char *arg, Error **errp);' % opt_name(e) for e, _ in s.options if handled(e)]
    o.append('\n#endif')
    return '\n'.join(o) + '\n'


def gen_thunks(s, which):
    o = [HEAD]
    if which == 'commands':
        for e, _ in s.commands:
            c = c_name(e['command'])
            o.append('static bool call_%s(struct qmp_call *c, const void *a, struct jval **r, Error **e) { return qmp_%s(c, a, r, e); }' % (c, c))
        o.append('\n/* in the order of qapi_commands[] */\nstatic qmp_fn *const qmp_fns[] = {')
        o += ['    call_%s,' % c_name(e['command']) for e, _ in sorted(s.commands, key=lambda x: x[0]['command'])]
    else:
        o.append('/* in the order of qapi_options[] */\nstatic opt_fn *const opt_fns[] = {')
        o += ['    opt_%s,' % opt_name(e) if handled(e) else '    NULL,' for e, _ in s.options]
    o.append('};')
    return '\n'.join(o) + '\n'


def main():
    out, files = sys.argv[1], sys.argv[2:]
    s = Schema(files)
    for name, text in (('qapi-types.h', gen_types_h(s)), ('qapi-tables.c', gen_tables_c(s)), ('qapi-handlers.h', gen_handlers_h(s)),
                       ('qapi-command-thunks.h', gen_thunks(s, 'commands')), ('qapi-option-thunks.h', gen_thunks(s, 'options'))):
        with open(os.path.join(out, name), 'w', encoding='utf-8') as f:
            f.write(text)


if __name__ == '__main__':
    main()
