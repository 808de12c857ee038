import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

// The one place where colours, sizes and times are written down. Everything else names a role.
const ramp = (s: string) => s.split(' ').map((h) => `#${h}`) as unknown as MantineColorsTuple;

const ramps = {
  pine: ramp('EDF9F3 D9F0E4 BCE2CF 98CDB3 74B596 569B7C 3C8163 27694E 15513A 063826'),
  ochre: ramp('FFF4E5 FDE6C4 F6D198 E9B663 D5981F B67F02 966802 795300 5C3F00 402A00'),
  kalyna: ramp('FFF3F1 FEE2E0 FEC8C4 FFA39D FF716D E55050 C73238 A71824 850115 5F000B'),
  blue: ramp('F0F6FE DDEBFE BEDAFF 94C3FF 6BA7F3 4E8CDA 3472BE 1F5BA1 0E4481 022E5E'),
  plum: ramp('FFF1FB FDDFF5 F7C6EB E9A7D9 D486C3 BA6AAA 9E518F 833C76 68295C 4A1841'),
  teal: ramp('E9FAF9 D0F1F0 ADE4E3 80CFCF 50B7B7 259D9D 008282 056868 025050 003737'),
  clay: ramp('FCF4EF F5E6DD EAD2C4 D9B8A4 C29B84 A98169 8E6851 75523D 5B3D2B 40291A'),
};
const { pine, ochre, kalyna, blue, plum, teal, clay } = ramps;

export const FONT = '"Geologica Variable", system-ui, sans-serif';
export const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

const shared = {
  '--font': FONT,
  '--mono': MONO,
  '--w-regular': '340',
  '--w-medium': '470',
  '--w-strong': '570',
  '--r-s': '4px',
  '--r-m': '6px',
  '--r-l': '10px',
  '--r-xl': '14px',
  '--fast': '80ms',
  '--base': '140ms',
  '--slow': '220ms',
  '--ease': 'cubic-bezier(.2,0,0,1)',
};

const light = {
  '--canvas': '#F6F4EE', '--surface': '#FFFFFF', '--sunken': '#FAF8F3', '--hover': '#F3F0E8', '--selected': '#EAF3EC',
  '--line': '#E8E3D8', '--line-strong': '#D8D1C2', '--control': '#8B8677',
  '--ink': '#1C211E', '--ink-2': '#4B524C', '--ink-3': '#646A62', '--inverse': '#232925', '--on-inverse': '#F6F4EE', '--inverse-line': '#3A423D',
  '--accent': pine[8], '--accent-hover': pine[9], '--on-accent': '#FFFFFF', '--accent-text': pine[7],
  '--accent-soft': pine[1], '--accent-soft-text': pine[8], '--accent-line': pine[3],
  '--good': pine[6], '--good-text': pine[7], '--good-soft': pine[0],
  '--warn': ochre[5], '--warn-text': ochre[7], '--warn-soft': ochre[0],
  '--bad': kalyna[6], '--bad-text': kalyna[7], '--bad-soft': kalyna[0],
  '--info': blue[6], '--info-text': blue[7], '--info-soft': blue[0],
  '--online': blue[6], '--store': ochre[5], '--message': plum[7], '--talk': teal[5], '--partner': clay[6], '--other': '#8B8677',
  '--online-soft': blue[0], '--store-soft': ochre[0], '--message-soft': plum[0], '--talk-soft': teal[0], '--partner-soft': clay[0],
  '--online-text': blue[7], '--store-text': ochre[7], '--message-text': plum[7], '--talk-text': teal[7], '--partner-text': clay[7],
  '--grid': '#ECE8DE', '--compare': '#A9A392',
  '--shadow-pop': '0 1px 2px rgba(40,36,24,.06),0 8px 24px -6px rgba(40,36,24,.16)',
  '--shadow-dialog': '0 2px 6px rgba(40,36,24,.08),0 24px 64px -12px rgba(40,36,24,.28)',
  '--mantine-color-body': '#F6F4EE',
  '--mantine-color-text': '#1C211E',
  '--mantine-color-dimmed': '#646A62',
  '--mantine-color-placeholder': '#646A62',
  '--mantine-color-error': kalyna[7],
  '--mantine-color-default-border': '#D8D1C2',
  '--mantine-color-default-hover': '#F3F0E8',
};

const dark: typeof light = {
  '--canvas': '#121614', '--surface': '#191E1B', '--sunken': '#151A17', '--hover': '#202622', '--selected': '#1E2D25',
  '--line': '#2A312D', '--line-strong': '#3A423D', '--control': '#6E756D',
  '--ink': '#E9ECE7', '--ink-2': '#B4BAB2', '--ink-3': '#939A91', '--inverse': '#E9ECE7', '--on-inverse': '#161A18', '--inverse-line': '#C6CBC4',
  '--accent': pine[4], '--accent-hover': pine[3], '--on-accent': '#08130D', '--accent-text': pine[3],
  '--accent-soft': '#1D3328', '--accent-soft-text': pine[2], '--accent-line': '#37604C',
  '--good': pine[4], '--good-text': pine[3], '--good-soft': '#1A2D24',
  '--warn': ochre[4], '--warn-text': ochre[3], '--warn-soft': '#30260F',
  '--bad': kalyna[4], '--bad-text': kalyna[3], '--bad-soft': '#3A1C1B',
  '--info': blue[4], '--info-text': blue[3], '--info-soft': '#17283D',
  '--online': blue[4], '--store': ochre[3], '--message': plum[5], '--talk': teal[2], '--partner': clay[4], '--other': '#7F867E',
  '--online-soft': '#17283D', '--store-soft': '#30260F', '--message-soft': '#341F30', '--talk-soft': '#15302F', '--partner-soft': '#2E251F',
  '--online-text': blue[3], '--store-text': ochre[3], '--message-text': plum[3], '--talk-text': teal[3], '--partner-text': clay[3],
  '--grid': '#252B28', '--compare': '#6E756D',
  '--shadow-pop': '0 0 0 1px #313934,0 10px 28px -6px rgba(0,0,0,.6)',
  '--shadow-dialog': '0 0 0 1px #313934,0 28px 72px -12px rgba(0,0,0,.75)',
  '--mantine-color-body': '#121614',
  '--mantine-color-text': '#E9ECE7',
  '--mantine-color-dimmed': '#939A91',
  '--mantine-color-placeholder': '#939A91',
  '--mantine-color-error': kalyna[3],
  '--mantine-color-default-border': '#3A423D',
  '--mantine-color-default-hover': '#202622',
};

export const cssVariables: CSSVariablesResolver = () => ({ variables: shared, light, dark });

const field = { size: 'sm' };

export const theme = createTheme({
  colors: ramps,
  primaryColor: 'pine',
  primaryShade: { light: 8, dark: 4 },
  autoContrast: false,
  defaultRadius: 'sm',
  fontFamily: FONT,
  fontFamilyMonospace: MONO,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '4px', sm: '6px', md: '10px', lg: '14px' },
  headings: { fontWeight: '570' },
  shadows: { xs: 'none', sm: 'none', md: 'var(--shadow-pop)', lg: 'var(--shadow-pop)', xl: 'var(--shadow-dialog)' },
  respectReducedMotion: true,
  focusRing: 'auto',
  cursorType: 'pointer',
  components: {
    Tooltip: { defaultProps: { openDelay: 400, transitionProps: { duration: 80 }, events: { hover: true, focus: true, touch: true } } },
    Popover: { defaultProps: { shadow: 'md', radius: 'md', transitionProps: { duration: 140 }, withinPortal: true } },
    Menu: { defaultProps: { shadow: 'md', radius: 'md', transitionProps: { duration: 140 } } },
    Modal: { defaultProps: { shadow: 'xl', radius: 'lg', centered: false, transitionProps: { duration: 140 } } },
    Drawer: { defaultProps: { transitionProps: { duration: 220 } } },
    Button: { defaultProps: { ...field, variant: 'filled' } },
    TextInput: { defaultProps: field },
    PasswordInput: { defaultProps: field },
    NumberInput: { defaultProps: field },
    Select: { defaultProps: { ...field, comboboxProps: { shadow: 'md' }, allowDeselect: false } },
    Textarea: { defaultProps: field },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
  },
});
