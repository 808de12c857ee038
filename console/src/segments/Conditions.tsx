import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { sentences } from './language';

/** The expression as sentences, one condition a line. */
export function Conditions({ expression }: { expression: string }) {
  const { t, i18n } = useTranslation();
  const list = useMemo(() => sentences(expression), [expression, i18n.language]);
  if (!list) return <p className="m2">{t('cond.unread')}</p>;
  return (
    <ul>
      {list.map((c, i) => {
        const join = c.join === 'first' ? (c.not ? t('cond.not') : '') : c.join === 'and' ? (c.not ? t('cond.andNot') : t('cond.and')) : c.not ? t('cond.orNot') : t('cond.or');
        return (
          <li key={i} className="cond">
            <span className={`join${c.not ? ' not' : ''}`}>{join}</span>
            <div className="box">
              <span className="text">
                {c.parts.map((p, n) => (p.token ? <span key={n} className="tok">{p.text}</span> : <span key={n}>{p.text}</span>))}
              </span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
