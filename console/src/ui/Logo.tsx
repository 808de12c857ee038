export const Logo = () => (
  <svg width="22" height="24" viewBox="0 0 22 24" fill="none" strokeLinecap="round" strokeWidth="3.2" aria-hidden="true">
    <path d="M17 2C17 7 5 7 5 12" stroke="var(--store)" />
    <path d="M5 2C5 7 17 7 17 12S5 17 5 22" stroke="var(--canvas)" strokeWidth="6" />
    <path d="M5 2C5 7 17 7 17 12S5 17 5 22" stroke="var(--accent)" />
    <path d="M5 12C5 17 17 17 17 22" stroke="var(--canvas)" strokeWidth="6" />
    <path d="M5 12C5 17 17 17 17 22" stroke="var(--store)" />
    <path d="M11 2v2.2M11 8.8v.8M11 14v.8M11 19.6V22" stroke="var(--message)" />
  </svg>
);
