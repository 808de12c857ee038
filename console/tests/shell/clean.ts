import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Nothing for axe to say about the page as it stands. */
export const clean = async (page: Page): Promise<void> => expect((await new AxeBuilder({ page }).withTags(tags).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.target.join(' ')} ${v.nodes[0]?.failureSummary}`)).toEqual([]);
/** The same for a dialog alone, without what concerns whole pages. */
export const dialogClean = async (page: Page): Promise<void> => expect((await new AxeBuilder({ page }).include('[role="dialog"]').withTags(tags.slice(0, -1)).analyze()).violations.map((v) => `${v.id}: ${v.nodes[0]?.target.join(' ')}`)).toEqual([]);
