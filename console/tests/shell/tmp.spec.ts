import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { enter } from './signin';
for (const [language, scheme] of [['en', 'light'], ['uk', 'dark']] as const)
  test(`tmp ${language}`, async ({ page }) => {
    test.setTimeout(120_000);
    await enter(page, { language, scheme });
    for (const path of ['/customers/p-olena', '/settings/traits', '/segments/new']) {
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.waitForTimeout(800);
      await page.screenshot({ path: `/tmp/profile_${language}_${path.replace(/\W+/g, '_')}.png` });
      const result = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
      for (const v of result.violations) console.log(path, v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | '));
    }
  });
