import i18next from 'i18next';
import * as f from '../ui/format';
import { channelName, identifierName, purposeName } from '../customers/timeline';

// Reads the segment language only to say it in words. The server alone decides what an expression means and where it is wrong;
// what cannot be read here is shown as text.

type Token = { kind: 'str' | 'num' | 'word' | 'op' | 'end'; text: string };
export type Part = { text: string; token: boolean };
export interface Condition {
  join: 'first' | 'and' | 'or';
  not: boolean;
  parts: Part[];
}

function tokens(source: string): Token[] {
  const out: Token[] = [];
  const re = /\s+|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?![\w-]))|(<=|>=|!=|[=<>()[\],.])|([\p{L}\p{N}_$-]+)/uy;
  while (re.lastIndex < source.length) {
    const m = re.exec(source);
    if (!m) throw new Error('unreadable');
    if (m[1] !== undefined) out.push({ kind: 'str', text: m[1].replace(/\\(.)/g, '$1') });
    else if (m[2] !== undefined) out.push({ kind: 'num', text: m[2] });
    else if (m[3] !== undefined) out.push({ kind: 'op', text: m[3] });
    else if (m[4] !== undefined) out.push({ kind: 'word', text: m[4] });
  }
  out.push({ kind: 'end', text: '' });
  return out;
}

const OPEN = '\u0001';
const CLOSE = '\u0002';
const mark = (s: string) => `${OPEN}${s}${CLOSE}`;
const t = (key: string, o?: Record<string, unknown>): string => i18next.t(key, o as never) as unknown as string;

class Reader {
  private at = 0;
  constructor(private readonly list: Token[]) {}

  private get next(): Token {
    return this.list[this.at]!;
  }
  private take(): Token {
    return this.list[this.at++]!;
  }
  private is(text: string, ahead = 0): boolean {
    const token = this.list[this.at + ahead];
    return token !== undefined && token.kind !== 'str' && token.text === text;
  }
  private eat(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }
  private want(text: string): void {
    if (!this.eat(text)) throw new Error(`expected ${text}`);
  }
  private name(): string {
    const token = this.take();
    if (token.kind === 'op' || token.kind === 'end') throw new Error('name expected');
    return token.text;
  }

  all(): Condition[] {
    const out = this.expr();
    if (this.next.kind !== 'end') throw new Error('unread rest');
    return out;
  }

  private expr(): Condition[] {
    const out: Condition[] = [];
    let join: Condition['join'] = 'first';
    for (;;) {
      out.push(this.not(join));
      if (this.eat('and')) join = 'and';
      else if (this.eat('or')) join = 'or';
      else return out;
    }
  }

  private not(join: Condition['join']): Condition {
    const not = this.eat('not');
    return { join, not, parts: cut(this.atom()) };
  }

  /** One condition as a sentence with its values between marks. */
  private atom(): string {
    if (this.eat('(')) {
      const inner = this.expr();
      this.want(')');
      if (inner.length === 1 && !inner[0]!.not) return glue(inner[0]!.parts);
      return t('cond.group', { text: inner.map((c) => `${c.join === 'first' ? '' : c.join === 'and' ? `${t('cond.and')} ` : `${t('cond.or')} `}${c.not ? `${t('cond.not')} ` : ''}${glue(c.parts)}`).join(' ') });
    }
    if (this.eat('exists')) return t('cond.exists', { path: mark(this.path()) });
    if (this.is('seq') && this.is('(', 1)) return this.seq();
    if (this.is('in') && this.is('segment', 1)) {
      this.at += 2;
      this.want('(');
      const name = this.name();
      this.want(')');
      return t('cond.segment', { name: mark(name) });
    }
    if (/^(count|sum|min|max|first|last|distinct)$/.test(this.next.text) && this.is('(', 1)) return this.aggregate();
    return this.compare();
  }

  private path(): string {
    const head = this.name();
    const rest: string[] = [];
    for (;;) {
      if (this.eat('.')) rest.push(this.name());
      else if (this.is('[') && this.is(']', 1)) this.at += 2;
      else break;
    }
    if (head === 'consent') return t('cond.consent', { channel: channelName(rest[0] ?? ''), purpose: purposeName(rest[1] ?? '') });
    if (head === 'identifier') return identifierName(rest[0] ?? '');
    if (head === 'properties' || head === 'products') return rest.join(' ').replaceAll('_', ' ');
    if (head === 'trait' || head === 'context') return rest.join(' ').replaceAll('_', ' ');
    return [head, ...rest].join('.');
  }

  private value(): string {
    const token = this.take();
    if (token.kind === 'num') return f.number(Number(token.text));
    if (token.text === 'true') return t('cond.true');
    if (token.text === 'false') return t('cond.false');
    if (token.text === 'granted') return t('consents.granted');
    if (token.text === 'denied') return t('consents.denied');
    if (token.kind === 'op' || token.kind === 'end') throw new Error('value expected');
    return token.text;
  }

  private relation(subject: string): string {
    if (this.eat('in')) {
      this.want('[');
      const values: string[] = [];
      do values.push(this.value());
      while (this.eat(','));
      this.want(']');
      return t('cond.in', { path: subject, value: mark(values.join(', ')) });
    }
    if (this.eat('contains')) return t('cond.contains', { path: subject, value: mark(this.value()) });
    if (this.eat('starts')) {
      this.want('with');
      return t('cond.starts', { path: subject, value: mark(this.value()) });
    }
    const op = this.take();
    return t(opKey(op), { path: subject, value: mark(this.value()) });
  }

  private compare(): string {
    return this.relation(this.path());
  }

  private where(): string {
    if (!this.eat('where')) return '';
    const or = (): string => {
      let text = '';
      for (;;) {
        if (this.eat('not')) text += `${t('cond.not')} `;
        if (this.eat('(')) {
          text += `(${or()})`;
          this.want(')');
        } else if (this.eat('exists')) text += t('cond.exists', { path: mark(this.path()) });
        else text += this.compare();
        if (this.eat('and')) text += ` ${t('cond.and')} `;
        else if (this.eat('or')) text += ` ${t('cond.or')} `;
        else return text;
      }
    };
    return ` ${t('cond.where', { text: or() })}`;
  }

  private window(): string {
    if (this.is('in') && this.is('last', 1)) {
      this.at += 2;
      return ` ${t('cond.last', { period: mark(this.period()) })}`;
    }
    if (this.is('in') && this.is('calendar', 1)) {
      this.at += 2;
      return ` ${mark(t(`cond.calendar.${this.take().text}`))}`;
    }
    if (this.eat('between')) {
      const from = this.take().text;
      this.want('and');
      return ` ${t('cond.between', { from: mark(from), to: mark(this.take().text) })}`;
    }
    return '';
  }

  private period(): string {
    const n = Number(this.take().text);
    const unit = this.take().text.replace(/s$/, '');
    return t(`cond.${unit}`, { count: n, n: f.number(n) });
  }

  private aggregate(): string {
    const what = this.take().text;
    this.want('(');
    const event = this.name();
    const field: string[] = [];
    while (this.eat('.')) field.push(this.name());
    const where = this.where();
    const window = this.window();
    this.want(')');
    const op = this.take();
    const raw = this.next.text;
    const value = this.value();
    const name = field.filter((x) => x !== 'properties').join(' ').replaceAll('_', ' ');
    if (what === 'count') {
      const n = Number(raw);
      const times = (key: string) => mark(t(key, { count: n, n: f.number(n) }));
      const amount = op.text === '>=' ? times('cond.atLeast') : op.text === '>' ? times('cond.moreThan') : op.text === '=' ? (n === 0 ? mark(t('cond.never')) : times('cond.exactly')) : op.text === '<' ? (n === 1 ? mark(t('cond.never')) : times('cond.lessThan')) : op.text === '<=' ? times('cond.atMost') : times('cond.notTimes');
      return `${t('cond.did', { event: mark(event), times: amount })}${where}${window}`;
    }
    return `${t(opKey(op), { path: t(what === 'last' ? 'cond.lastValue' : `cond.${what}`, { name: mark(name), event: mark(event) }), value: mark(value) })}${where}${window}`;
  }

  private seq(): string {
    this.at += 2;
    const first = this.name();
    const firstWhere = this.where();
    this.want('then');
    const not = this.eat('not');
    const second = this.name();
    const secondWhere = this.where();
    this.want('within');
    const period = this.period();
    this.want(')');
    return t(not ? 'cond.seqNot' : 'cond.seq', { first: mark(first) + firstWhere, second: mark(second) + secondWhere, period: mark(period) });
  }
}

function opKey(op: Token): string {
  const keys: Record<string, string> = { '=': 'cond.is', '!=': 'cond.isNot', '<': 'cond.less', '<=': 'cond.lessEqual', '>': 'cond.more', '>=': 'cond.moreEqual' };
  const key = keys[op.text];
  if (!key || op.kind !== 'op') throw new Error('comparison expected');
  return key;
}

const cut = (s: string): Part[] =>
  s
    .split(/(\u0001[^\u0002]*\u0002)/)
    .filter(Boolean)
    .map((p) => (p.startsWith(OPEN) ? { text: p.slice(1, -1), token: true } : { text: p.trim(), token: false }))
    .filter((p) => p.text);
const glue = (parts: Part[]): string => parts.map((p) => (p.token ? mark(p.text) : p.text)).join(' ');

/** The conditions of an expression in words, or null where it cannot be read. */
export function sentences(expression: string): Condition[] | null {
  try {
    return new Reader(tokens(expression)).all();
  } catch {
    return null;
  }
}
