import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { enter } from './signin';

const pages = ['/', '/customers?sel=p-olena', '/customers?view=v-1', '/customers/p-olena', '/identity?sel=p-olena-p-oksana', '/identity?tab=suspects', '/identity?tab=values', '/identity?tab=rules', '/identity?tab=stitch', '/identity?tab=changes', '/segments', '/segments/seg-blankets', '/segments/new', '/products', '/products/khmara', '/products/khmara?tab=full', '/products/khmara?tab=variants', '/products/khmara?tab=history', '/products/compare?ids=khmara,barvinok', '/catalog', '/catalog?tab=attributes', '/catalog?tab=categories', '/catalog?tab=channels', '/feeds', '/messages?sel=m-2', '/jobs', '/imports', '/settings/own', '/rules?sel=r-cart', '/templates', '/templates/t-cart', '/live', '/sources?sel=s-site', '/privacy?sel=q-1', '/webhooks', '/webhooks/w-erp?sel=d-3', '/webhooks/w-old', '/settings/users', '/settings/api-keys', '/settings/traits', '/settings/limits', '/settings/sign-in', '/settings/users?sel=u-2', '/settings/audit', '/orders', '/orders/o31915x', '/orders/o31921x', '/orders/figures', '/orders/settings', '/orders/settings?part=delivery', '/orders/settings?part=places', '/orders/settings?part=sourcing', '/returns?sel=1884', '/returns/1884', '/returns/1883', '/returns/1880', '/returns/claims', '/returns/claims/502', '/returns/cases', '/returns/cases/71', '/returns/refunds', '/returns/rates', '/returns/policy', '/reviews', '/reviews?sel=41', '/stock/HM-200220', '/stock/serials?sn=SN-00412', '/counts/tags?sel=3', '/entities', '/entities/law', '/erp', '/erp/bas', '/erp/bas?tab=journal', '/erp/bas?tab=differences', '/erp/bas?tab=mappings'];

for (const [language, scheme] of [['en', 'light'], ['uk', 'dark'], ['en', 'dark'], ['uk', 'light']] as const)
  test(`nothing for axe to say: ${language}, ${scheme}`, async ({ page }) => {
    test.setTimeout(300_000);
    const found: string[] = [];
    page.on('console', (m) => {
      if (/Content Security Policy|Refused/.test(m.text())) found.push(m.text());
    });
    await enter(page, { language, scheme });
    for (const path of pages) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(500);
      const result = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).exclude('.preview-frame').analyze();
      for (const v of result.violations) found.push(`${path} ${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`).join(' | ')}`);
      await page.screenshot({ path: `test-results/pages/${path.replace(/\W+/g, '_')}.${language}.${scheme}.png` });
    }
    expect(found).toEqual([]);
  });
