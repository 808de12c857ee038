use super::*;

fn mail() -> Mail {
    Mail {
        from: "Shop <shop@example.com>".parse().expect("a mailbox"),
        bounce_to: None,
        to: "dana@example.com".parse().expect("a mailbox"),
        subject: "Hello".to_owned(),
        text: "Hello.\n".to_owned(),
        html: None,
        message_id: "<m1@example.com>".to_owned(),
        headers: Vec::new(),
        date_us: 0,
    }
}

fn rendered(mail: &Mail) -> String {
    String::from_utf8(mail.render().expect("a good mail").stuffed).expect("UTF-8").replace("\r\n", "\n")
}

#[test]
fn a_plain_mail_is_plain() {
    let expected = "\
Date: Thu, 1 Jan 1970 00:00:00 +0000
From: \"Shop\" <shop@example.com>
To: dana@example.com
Subject: Hello
Message-ID: <m1@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Hello.
.
";
    assert_eq!(rendered(&mail()), expected);
}

#[test]
fn a_mail_with_html_has_both_forms() {
    let mail = Mail {
        subject: "Нові чоботи вже чекають на вас у крамниці на Хрещатику".to_owned(),
        text: "Ціна = 1 ₴ \n.\n--=_braid_0\nFrom us\n".to_owned(),
        html: Some("<p>\n.short --=_braid_0".to_owned()),
        headers: vec![("List-Id".to_owned(), format!("{} <news.example.com>", "word ".repeat(16).trim()))],
        ..mail()
    };
    let expected = "\
Date: Thu, 1 Jan 1970 00:00:00 +0000
From: \"Shop\" <shop@example.com>
To: dana@example.com
Subject: =?utf-8?B?0J3QvtCy0ZYg0YfQvtCx0L7RgtC4INCy0LbQtSDRh9C10LrQsNGO?=
 =?utf-8?B?0YLRjCDQvdCwINCy0LDRgSDRgyDQutGA0LDQvNC90LjRhtGWINC90LAg0KU=?=
 =?utf-8?B?0YDQtdGJ0LDRgtC40LrRgw==?=
Message-ID: <m1@example.com>
MIME-Version: 1.0
List-Id: word word word word word word word word word word word word word
 word word word <news.example.com>
Content-Type: multipart/alternative; boundary=\"=_braid_1\"

--=_braid_1
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=D0=A6=D1=96=D0=BD=D0=B0 =3D 1 =E2=82=B4=20
..
--=3D_braid_0
=46rom us

--=_braid_1
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 7bit

<p>
..short --=_braid_0

--=_braid_1--
.
";
    assert_eq!(rendered(&mail), expected);
}

#[test]
fn the_size_is_that_before_stuffing() {
    let mail = Mail { text: ".\n.\n".to_owned(), ..mail() };
    let rendered = mail.render().expect("a good mail");
    assert_eq!(rendered.stuffed.len(), rendered.size + 2 + ".\r\n".len());
}
