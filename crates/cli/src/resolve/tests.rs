use super::*;
use std::io::Cursor;

fn people(text: &str, columns: &[&str]) -> Result<read::People, Stop> {
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_string()).collect();
    read::read(Box::new(Cursor::new(text.as_bytes().to_vec())), "people.csv", &columns, Country::find("UA"), |_| {})
}

fn resolved(text: &str, columns: &[&str]) -> String {
    let mut people = people(text, columns).unwrap_or_else(|stop| panic!("{:?}", stop.error));
    let options = Options { threads: 1, ..Options::default() };
    let result = resolve::resolve(&mut people.table, &options, &|_, _, _| {});
    String::from_utf8(table(&people.ids, &result).unwrap_or_else(|stop| panic!("{:?}", stop.error))).expect("UTF-8")
}

/// Rows of strangers, so that there is something to learn from.
fn strangers() -> String {
    let names = [
        "Олена Бойко",
        "Ігор Кравець",
        "Марія Лисенко",
        "Петро Гончар",
        "Юлія Савчук",
        "Роман Дорошенко",
        "Ніна Захарченко",
    ];
    let mut out = String::new();
    for (at, name) in names.iter().enumerate() {
        let (first, last) = name.split_once(' ').expect("two words");
        out.push_str(&format!(
            "x{at},{first},{last},067{:07},19{}0{}1{at}\n",
            1_234_567 + at * 700_001,
            50 + at * 4,
            at + 1
        ));
    }
    out
}

#[test]
fn csv_and_ndjson_give_the_same() {
    let rows = format!(
        "rec_id,given_name,surname,phone,birth_date\nb,Сергій,Щербак,+380501112233,1985-03-12\na,Sergey,Shcherbak,050 111 22 33,12.03.1985\n{}",
        strangers()
    );
    let found = resolved(&rows, &[]);
    assert!(found.starts_with("rec_id,entity_id,score\na,a,0.99") && found.contains("\nb,a,0.99"), "{found}");
    assert!(found.contains("\nx0,x0,1.000000\n"), "{found}");
    let mut lines = rows.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let json: String = lines
        .map(|line| {
            let row: serde_json::Map<String, Value> =
                header.iter().zip(line.split(',')).map(|(k, v)| ((*k).to_string(), Value::from(v))).collect();
            format!("{}\n", Value::from(row))
        })
        .collect();
    assert_eq!(resolved(&json, &[]), found);
    let semicolons = rows.replace(',', ";");
    assert_eq!(resolved(&semicolons, &[]), found);
    let renamed =
        rows.replace("rec_id,given_name,surname,phone,birth_date", "\u{feff}Nr,Vorname,Nachname,Telefon,Geburt");
    let columns = ["rec_id=Nr", "given_name=Vorname", "last_name=Nachname", "phone=Telefon", "date_of_birth=Geburt"];
    assert_eq!(resolved(&renamed, &columns), found);
}

#[test]
fn unknown_columns_and_the_text_of_ids_say_nothing() {
    let with = |column: &str, extra: &str| {
        let rows = format!("rec_id,given_name,surname,phone,birth_date\n{}", strangers());
        let rows: Vec<String> =
            rows.lines().enumerate().map(|(at, l)| format!("{l},{}", if at == 0 { column } else { extra })).collect();
        resolved(&rows.join("\n"), &[])
    };
    assert_eq!(with("shoe_size", "43"), with("colour", "red"));
    let ids = format!("rec_id,given_name,surname,phone,birth_date\n{}", strangers());
    let dups = ids.replace("x0,", "rec-1-org,").replace("x1,", "rec-1-dup-0,");
    assert_eq!(resolved(&dups, &[]).lines().filter(|l| l.ends_with(",1.000000")).count(), 7);
}

#[test]
fn bad_input_is_told_with_line_and_column() {
    for (text, columns, said) in [
        ("", &[][..], "people.csv line 1 column 1: the file is empty"),
        ("surname\nX\n", &[], "line 1 column 1: there is no column rec_id"),
        ("rec_id,colour\n1,red\n", &[], "line 1 column 1: no column is one of people"),
        ("rec_id,surname\n1,A\n2\n", &[], "line 3 column 2: the row has 1 columns, the first line 2"),
        ("rec_id,surname\n1,A\n2,B,C\n", &[], "line 3 column 3: the row has 3 columns, the first line 2"),
        ("rec_id,surname\n1,A\n ,B\n", &[], "line 3 column 1: rec_id is empty"),
        ("rec_id,surname\n1,A\n2,B\n1,C\n", &[], "line 4 column 1: rec_id \"1\" was there before, on line 2"),
        ("{\"rec_id\": 1, \"surname\": \"A\"}\n{\"rec_id\": 2,\n", &[], "line 2 column"),
        ("{\"rec_id\": 1, \"surname\": {}}\n", &[], "line 1 column 15: \"surname\" is neither text nor a number"),
        ("{\"surname\": \"A\"}\n", &[], "line 1 column 1: there is no rec_id"),
        ("rec_id,surname\n1,A\n", &["surname"], "there is no `=`"),
        ("rec_id,surname\n1,A\n", &["shoe=surname"], "\"shoe\" is no kind of column"),
    ] {
        let stop = people(text, columns).err().unwrap_or_else(|| panic!("{text:?} was taken"));
        let error = stop.error.expect("an error").to_string();
        assert!(stop.code == 2 && error.contains(said), "{text:?}: {error}");
    }
    let not_utf8 = b"rec_id,surname\n1,A\n2,\xff\xfe\n".to_vec();
    let stop =
        read::read(Box::new(Cursor::new(not_utf8)), "f", &[], Country::find("UA"), |_| {}).err().expect("refused");
    assert_eq!(
        (stop.code, stop.error.expect("an error").to_string().as_str()),
        (2, "f line 3 column 2: this is no UTF-8")
    );
}

#[test]
fn strange_cells_are_read_without_harm() {
    let rows = "rec_id,name,email,phone,birth_date,address_1,postcode\n\
        1,\"Robert'); DROP TABLE people;--\",<script>,++--,31.02.20000,\"🦉, 🦉 12/5/7, кв. \",\n\
        2,\u{0}\u{7},@,00000000000,99999999999999,,,\n"
        .replace(",,,\n", ",,\n");
    assert_eq!(resolved(&rows, &[]).lines().count(), 3);
}
