import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, type Request } from '@playwright/test';

/** Knows when a page has all that it asked for and draws no more. Streams stay open and do not count. */
export class Quiet {
  private readonly open = new Set<Request>();
  constructor(private readonly page: Page) {
    const stream = (r: Request) => r.resourceType() === 'eventsource' || /\/(live|stream)(\?|$)/.test(r.url());
    page.on('request', (r) => { if (!stream(r)) this.open.add(r); });
    page.on('requestfinished', (r) => this.open.delete(r));
    page.on('requestfailed', (r) => this.open.delete(r));
    page.on('framenavigated', (f) => { if (f === page.mainFrame()) this.open.clear(); });
  }
  /** Opens a path and waits: for its title, its answers, its last change of the document, and its fonts. */
  async goto(path: string): Promise<void> {
    await this.page.goto(path);
    // Behind a dialog the title is not for readers of the screen.
    await expect(this.page.locator('h1').first()).toBeVisible();
    await this.wait();
  }
  async wait(): Promise<void> {
    const until = Date.now() + 10_000;
    for (;;) {
      await expect.poll(() => this.open.size, { intervals: [20], timeout: 10_000 }).toBe(0);
      // 120 ms without a change; what is still being fetched draws a skeleton.
      const still = await this.page.evaluate(async () => {
        await document.fonts.ready;
        let changes = 0;
        const watch = new MutationObserver((list) => { changes += list.length; });
        watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        await new Promise((done) => setTimeout(done, 120));
        watch.disconnect();
        return changes === 0 && !document.querySelector('.skeleton');
      });
      if (still && this.open.size === 0) return;
      if (Date.now() > until) throw new Error(`${this.page.url()} does not come to rest`);
    }
  }
}

const ALL = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What another colour scheme or another language can change of a page that is clean in structure. */
const SEEN = ['color-contrast', 'link-in-text-block', 'target-size', 'html-has-lang', 'html-lang-valid', 'valid-lang', 'document-title', 'scrollable-region-focusable'];

/** What axe says; nothing of it lies in a frame of another origin, so that it needs no page of its own to gather it. */
export async function said(page: Page, rules: 'all' | 'seen'): Promise<string[]> {
  const builder = new AxeBuilder({ page }).setLegacyMode(true).exclude('.preview-frame');
  // A dialog hides the page behind it, where the landmarks are.
  const over = (await page.getByRole('dialog').count()) > 0;
  if (over) builder.include('[role="dialog"]');
  const { violations } = await (rules === 'all' ? builder.withTags(ALL) : builder.withRules(SEEN)).disableRules(over ? ['landmark-no-duplicate-banner', 'landmark-banner-is-top-level', 'landmark-unique', 'region', 'page-has-heading-one'] : []).analyze();
  return violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`).join(' | ')}`);
}

/** Every path with every rule in one scheme, and there with the other scheme, too, what colours change. */
export async function inBothSchemes(page: Page, paths: readonly string[], first: 'light' | 'dark', language: string, shot?: string): Promise<string[]> {
  const found: string[] = [];
  page.on('console', (m) => {
    if (/Content Security Policy|Refused/.test(m.text())) found.push(m.text());
  });
  const quiet = new Quiet(page);
  const other = first === 'light' ? 'dark' : 'light';
  for (const path of paths) {
    await page.emulateMedia({ colorScheme: first, reducedMotion: 'reduce' });
    await quiet.goto(path);
    found.push(...(await said(page, 'all')).map((v) => `${path} ${language} ${first}: ${v}`));
    if (shot) await page.screenshot({ path: `test-results/${shot}/${path.replace(/\W+/g, '_')}.${language}.${first}.png` });
    await page.emulateMedia({ colorScheme: other, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', other);
    await quiet.wait();
    found.push(...(await said(page, 'seen')).map((v) => `${path} ${language} ${other}: ${v}`));
    if (shot) await page.screenshot({ path: `test-results/${shot}/${path.replace(/\W+/g, '_')}.${language}.${other}.png` });
  }
  return found;
}
