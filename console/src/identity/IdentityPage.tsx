// Decision served: are these two one customer, and which values may say so?
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { NumberStrip, PageHeader } from '../ui/base';
import * as f from '../ui/format';
import { useTitle } from '../ui/Shell';
import { Changes } from './Changes';
import { reviewQuery, stitchQuery, suspectsQuery } from './query';
import { Review } from './Review';
import { RulesForm } from './Rules';
import { StitchRate } from './Stitch';
import { KeptOut, Suspects } from './Values';

const route = getRouteApi('/identity');
const TABS = ['review', 'suspects', 'values', 'rules', 'stitch', 'changes'] as const;
type Tab = (typeof TABS)[number];

export default function IdentityPage() {
  const { t } = useTranslation();
  useTitle(t('nav.identity'));
  const search = route.useSearch();
  const tab: Tab = TABS.find((x) => x === search.tab) ?? 'review';
  const review = useInfiniteQuery(reviewQuery);
  const suspects = useQuery(suspectsQuery);
  const stitch = useQuery(stitchQuery);
  const open = review.data?.pages[0]?.open;
  const now = stitch.data?.last_day;
  const before = stitch.data?.before;
  const rate = (n: number | null | undefined, say: (n: number) => string) => (n == null ? f.NONE : say(n));
  const was = (n: number | null | undefined, say: (n: number) => string) => (n == null ? t('stitch.tooLittle') : t('stitch.before', { n: say(n) }));
  const share = (n: number) => f.percent(n);
  const names: Record<Tab, string> = { review: t('identity.tab.review'), suspects: t('identity.tab.suspects'), values: t('identity.tab.values'), rules: t('identity.tab.rules'), stitch: t('identity.tab.stitch'), changes: t('identity.tab.changes') };
  const counts: Partial<Record<Tab, number>> = { review: open, suspects: suspects.data?.items.length };
  return (
    <div className="page">
      <PageHeader title={t('nav.identity')} note={t('identity.lead')} />
      <NumberStrip
        calm
        label={t('identity.numbers')}
        items={[
          { label: t('identity.waiting'), value: open === undefined ? f.NONE : f.number(open), note: t('identity.waitingNote'), to: '/identity', search: {}, testId: 'review-open' },
          { label: t('stitch.share'), value: rate(now?.stitched_share, share), note: was(before?.stitched_share, share), to: '/identity', search: { tab: 'stitch' } },
          { label: t('stitch.joins'), value: rate(now?.joins_per_1000, f.number), note: was(before?.joins_per_1000, f.number), to: '/identity', search: { tab: 'stitch' } },
          { label: t('stitch.anonymous'), value: rate(now?.anonymous_per_1000, f.number), note: was(before?.anonymous_per_1000, f.number), to: '/identity', search: { tab: 'stitch' } },
        ]}
      />
      <nav className="tabs" aria-label={t('identity.parts')}>
        {TABS.map((x) => (
          <Link key={x} to="/identity" search={{ tab: x === 'review' ? undefined : x }} className={x === tab ? 'on' : ''} activeProps={{}} aria-current={x === tab ? 'page' : undefined} data-testid={`identity-tab-${x}`}>
            {names[x]}{counts[x] ? <span>{f.number(counts[x]!)}</span> : null}
          </Link>
        ))}
      </nav>
      {tab === 'review' && <Review />}
      {tab === 'suspects' && <Suspects />}
      {tab === 'values' && <KeptOut />}
      {tab === 'rules' && <RulesForm />}
      {tab === 'stitch' && <StitchRate />}
      {tab === 'changes' && <Changes />}
    </div>
  );
}
