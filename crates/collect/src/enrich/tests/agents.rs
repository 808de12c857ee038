//! Agents as they come, one a line: device, system, browser.
use crate::enrich::agent::{Hints, parse};

/// `agent | device | system | browser`
const GOLDEN: &str = r"
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 | desktop | Windows 10 | Chrome 131
Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36 | desktop | Windows 7 | Chrome 109
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.2903.51 | desktop | Windows 10 | Edge 131
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763 | desktop | Windows 10 | Edge 18
Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0 | desktop | Windows 10 | Firefox 132
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 OPR/115.0.0.0 | desktop | Windows 10 | Opera 115
Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko | desktop | Windows 8.1 | Internet Explorer 11
Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0) | desktop | Windows 7 | Internet Explorer
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15 | desktop | macOS 10.15 | Safari 18
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 | desktop | macOS 10.15 | Chrome 131
Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0 | desktop | macOS 10.15 | Firefox 132
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0 | desktop | macOS 10.15 | Edge 131
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 | desktop | Linux | Chrome 131
Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0 | desktop | Linux | Firefox 132
Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 | desktop | ChromeOS | Chrome 130
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Vivaldi/6.9 | desktop | Linux | Vivaldi 6
Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1 | phone | iOS 18.1 | Safari 18
Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1 | phone | iOS 17.6 | Chrome 131
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/132.0 Mobile/15E148 Safari/605.1.15 | phone | iOS 17.5 | Firefox 132
Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/130.0.2849.80 Mobile/15E148 Safari/605.1.15 | phone | iOS 17.7 | Edge 130
Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/342.0.693598186 Mobile/15E148 Safari/604.1 | phone | iOS 18.0 | Google app 342
Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21G80 [FBAN/FBIOS;FBAV/489.0.0.37.105;FBBV/656900000;FBDV/iPhone15,3] | phone | iOS 17.6 | Facebook 489
Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 355.0.0.34.95 (iPhone14,5; iOS 17_5_1; uk_UA) | phone | iOS 17.5 | Instagram 355
Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1 | tablet | iPadOS 17.7 | Safari 17
Mozilla/5.0 (iPad; CPU OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1 | tablet | iPadOS 16.3 | Chrome 120
Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1 | phone | iOS 12.5 | Safari 12
Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 | phone | Android 10 | Chrome 131
Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.6778.39 Mobile Safari/537.36 | phone | Android 14 | Chrome 131
Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36 | phone | Android 14 | Samsung Internet 26
Mozilla/5.0 (Android 13; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0 | phone | Android 13 | Firefox 132
Mozilla/5.0 (Android 13; Tablet; rv:132.0) Gecko/132.0 Firefox/132.0 | tablet | Android 13 | Firefox 132
Mozilla/5.0 (Linux; Android 13; 2201117TY) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 OPR/86.0.0.0 | phone | Android 13 | Opera 86
Mozilla/5.0 (Linux; U; Android 12; uk-ua; Redmi Note 10 Build/SKQ1.210908.001) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.11.0-gn | phone | Android 12 | Mi Browser 14
Mozilla/5.0 (Linux; Android 12; HUAWEI P30; HMSCore 6.13.0.302) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.196 HuaweiBrowser/15.0.4.312 Mobile Safari/537.36 | phone | Android 12 | Huawei Browser 15
Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36 | phone | Android 13 | Android WebView 131
Mozilla/5.0 (Linux; Android 11; M2101K6G Build/RKQ1.200826.002; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.107 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/489.0.0.66.81;] | phone | Android 11 | Facebook 489
Mozilla/5.0 (Linux; Android 13; SM-A135F Build/TP1A.220624.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.39 Mobile Safari/537.36 Instagram 357.0.0.40.96 Android | phone | Android 13 | Instagram 357
Mozilla/5.0 (Linux; Android 9; SM-T510) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 | tablet | Android 9 | Chrome 131
Mozilla/5.0 (Linux; Android 12; Lenovo TB-X606F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 | tablet | Android 12 | Chrome 120
Mozilla/5.0 (Linux; Android 9; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/127.3.1 like Chrome/127.0.6533.64 Safari/537.36 | tablet | Android 9 | Silk 127
Mozilla/5.0 (Linux; U; Android 4.1.2; uk-ua; GT-I9100 Build/JZO54K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30 | phone | Android 4.1 | Android Browser 4
Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 21) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 | phone | Android 12 | Chrome 130
Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36 EdgA/130.0.0.0 | phone | Android 10 | Edge 130
Mozilla/5.0 (Linux; Android 13; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.0.0 Mobile Safari/537.36 Viber/23.6.0.3 | phone | Android 13 | Viber 23
Mozilla/5.0 (Mobile; Nokia_2780; rv:84.0) Gecko/84.0 Firefox/84.0 KAIOS/3.1 | phone | KaiOS 3.1 | Firefox 84
Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254 | phone | Windows Phone 10.0 | Edge 15
Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 Chrome/76.0.3809.146 TV Safari/537.36 | tv | Tizen 6.0 | Samsung Internet 4
Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager | tv | webOS | Chrome 94
Mozilla/5.0 (Linux; Android 12; BRAVIA 4K VH2 Build/STT2) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 | tv | Android 12 | Chrome 126
Mozilla/5.0 (Linux; Android 9; AFTMM) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.1.1 like Chrome/120.0 Safari/537.36 | tv | Android 9 | Silk 120
AppleTV11,1/11.1 | tv | tvOS | unknown
Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15 | console | PlayStation 5 | Safari 13
Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/48.0.2564.82 Safari/537.36 Edge/20.02 | console | Xbox | Edge 20
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html) | bot | unknown | unknown
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html) | bot | Android 6.0 | Chrome 131
Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) | bot | unknown | unknown
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php) | bot | unknown | unknown
TelegramBot (like TwitterBot) | bot | unknown | unknown
curl/8.9.1 | bot | unknown | unknown
python-requests/2.32.3 | bot | unknown | unknown
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36 | bot | Linux | Chrome 131
okhttp/4.12.0 | bot | unknown | unknown
Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15 | phone | iOS 17.0 | DuckDuckGo 7
'; DROP TABLE agents; -- | unknown | unknown | unknown
";

// [B1]
#[test]
fn golden_agents() {
    let mut count = 0;
    for line in GOLDEN.lines().filter(|l| !l.is_empty()) {
        let mut parts = line.rsplitn(4, " | ");
        let (browser, os, device) = (parts.next(), parts.next(), parts.next());
        let agent = parts.next().expect("four parts");
        let found = parse(agent, None);
        let with = |name: &str, version: &str| format!("{name} {version}").trim_end().to_string();
        assert_eq!(Some(found.device.as_str()), device, "{agent}");
        assert_eq!(Some(with(found.os, &found.os_version).as_str()), os, "{agent}");
        assert_eq!(Some(with(found.browser, &found.browser_version).as_str()), browser, "{agent}");
        count += 1;
    }
    assert!(count >= 60, "{count}");
}

#[test]
fn hints_tell_what_the_agent_hides() {
    let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    let hints = |platform: &str, version: &str| Hints {
        platform: platform.into(),
        platform_version: version.into(),
        ..Hints::default()
    };
    assert_eq!(parse(windows, Some(&hints("Windows", "15.0.0"))).os_version, "11");
    assert_eq!(parse(windows, Some(&hints("Windows", "10.0.0"))).os_version, "10");
    let android =
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
    assert_eq!(parse(android, Some(&hints("Android", "15.0.0"))).os_version, "15");
    let mobile = Hints { mobile: true, ..hints("Android", "15.0.0") };
    assert_eq!(parse(android, Some(&mobile)).device.as_str(), "phone");
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it(agent in ".{0,300}", mobile: bool) {
        let found = parse(&agent, Some(&Hints { mobile, ..Hints::default() }));
        let text = format!("{{{}}}", found.json());
        proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
    }
}
