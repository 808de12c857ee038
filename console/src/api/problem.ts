import i18next from 'i18next';

export interface FieldError { pointer: string; detail: string; offset?: number | null; line?: number | null }
interface Wire { code: string; title: string; status: number; detail?: string | null; errors?: FieldError[] | null }

/** An RFC 9457 problem, or the lack of an answer (`no_connection`). */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: FieldError[];

  constructor(wire: Wire) {
    super(wire.detail || wire.title || wire.code);
    this.code = wire.code;
    this.status = wire.status;
    this.title = wire.title;
    this.detail = wire.detail ?? '';
    this.errors = wire.errors ?? [];
  }
}

export function problemOf(body: unknown, status: number): Problem {
  if (body && typeof body === 'object') {
    const b = body as Partial<Wire>;
    return new Problem({ code: b.code ?? `http_${status}`, title: b.title ?? '', status, detail: b.detail, errors: b.errors });
  }
  return new Problem({ code: `http_${status}`, title: '', status });
}

// Set by the words module, which knows sentences; a plain import would make a circle.
let saidDetail: (text: string) => string = (text) => text;
export const sayDetailsWith = (say: (text: string) => string): void => {
  saidDetail = say;
};

/** What a person reads: our own words by code, else what the server said. */
export function sayProblem(error: unknown): string {
  const t = i18next.t.bind(i18next);
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : t('problem.unknown');
  const key = `problem.${error.code}`;
  // A detail of the server that has words of its own is said in them.
  if (i18next.exists(key)) return t(key, { detail: saidDetail(error.detail) }).replace(/:\s*$/, '');
  if (error.detail) return error.title ? `${error.title}: ${error.detail}` : error.detail;
  return error.title || t('problem.unknown');
}
