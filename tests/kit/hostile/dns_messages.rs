//! Answers to a question of the DNS, byte by byte (RFC 1035 §4.1): such as no library would write.

use std::net::Ipv4Addr;

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;

/// Nobody listens there.
const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The first byte after the header: where the name is that was asked for.
const POINTER_TO_QUESTION: [u8; 2] = [0xc0, 12];

/// A question as it was asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) id: u16,
    pub(super) name: String,
    kind: u16,
}

impl Question {
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut rest = message.get(12..)?;
        loop {
            let (length, after) = rest.split_first()?;
            let length = usize::from(*length);
            if length == 0 {
                let kind = u16::from_be_bytes([*after.first()?, *after.get(1)?]);
                return Some(Self {
                    id: u16::from_be_bytes([message[0], message[1]]),
                    name: labels.join("."),
                    kind,
                });
            }
            labels.push(String::from_utf8_lossy(after.get(..length)?).into_owned());
            rest = after.get(length..)?;
        }
    }

    pub(super) fn with_id(&self, id: u16) -> Self {
        Self { id, ..self.clone() }
    }

    pub(super) fn named(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }

    /// As it should be.
    pub(super) fn address(&self) -> Vec<u8> {
        self.answer(&[self.own_address(&self.name)])
    }

    pub(super) fn address_of(&self, other: &str) -> Vec<u8> {
        self.answer(&[self.own_address(other)])
    }

    pub(super) fn alias_and_address(&self, alias: &str, other: &str) -> Vec<u8> {
        self.answer(&[alias_of(&self.name, alias), self.own_address(other)])
    }

    pub(super) fn alias_to_itself(&self) -> Vec<u8> {
        self.answer(&[alias_of(&self.name, &self.name)])
    }

    pub(super) fn alias_loop(&self) -> Vec<u8> {
        let there = alias_of(&self.name, "there.test");
        self.answer(&[there, alias_of("there.test", &self.name)])
    }

    /// So many aliases, and an address at last.
    pub(super) fn alias_chain(&self, length: usize) -> Vec<u8> {
        let name = |number: usize| match number {
            0 => self.name.clone(),
            number => format!("alias-{number}.test"),
        };
        let mut records: Vec<Vec<u8>> = (0..length)
            .map(|number| alias_of(&name(number), &name(number + 1)))
            .collect();
        records.push(self.own_address(&name(length)));
        self.answer(&records)
    }

    pub(super) fn addresses(&self, count: usize) -> Vec<u8> {
        let record = |number: usize| {
            let number = u16::try_from(number).expect("64 kB at most").to_be_bytes();
            let head = [
                &POINTER_TO_QUESTION[..],
                &A.to_be_bytes(),
                &[0, 1, 0, 0, 0, 60, 0, 4],
            ];
            [&head.concat()[..], &[127, 0], &number].concat()
        };
        let records: Vec<Vec<u8>> = (0..count).map(record).collect();
        if self.kind == A {
            self.answer(&records)
        } else {
            self.answer(&[])
        }
    }

    pub(super) fn text(&self, length: usize) -> Vec<u8> {
        let pieces = [&[255], &[7; 255][..]].concat().repeat(length / 256);
        self.answer(&[record(&self.name, TXT, &pieces)])
    }

    /// The name of the answer points to itself.
    pub(super) fn pointer_loop(&self) -> Vec<u8> {
        self.with_name_of_answer(self.end_of_question())
    }

    /// It points to what comes later.
    pub(super) fn pointer_ahead(&self) -> Vec<u8> {
        self.with_name_of_answer(self.end_of_question() + 20)
    }

    /// Says that there are 65,535 records.
    pub(super) fn claims_more(&self) -> Vec<u8> {
        let mut message = self.address();
        message[6..8].copy_from_slice(&[0xff, 0xff]);
        message
    }

    /// The question, as if it were an answer.
    pub(super) fn echo(&self) -> Vec<u8> {
        let mut message = self.answer(&[]);
        message[2] = 0;
        message
    }

    pub(super) fn without_question(&self) -> Vec<u8> {
        let mut message = self.header(0, 0);
        message[5] = 0;
        message
    }

    pub(super) fn truncated(&self) -> Vec<u8> {
        const TRUNCATED: u8 = 2;
        let mut message = self.answer(&[]);
        message[2] |= TRUNCATED;
        message
    }

    fn with_name_of_answer(&self, place: usize) -> Vec<u8> {
        let mut message = self.answer(&[]);
        message[7] = 1;
        let place = u16::try_from(place).expect("a short question") | 0xc000;
        message.extend(place.to_be_bytes());
        message.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        message
    }

    fn end_of_question(&self) -> usize {
        self.answer(&[]).len()
    }

    fn own_address(&self, name: &str) -> Vec<u8> {
        if self.kind == AAAA {
            record(name, AAAA, &ADDRESS.to_ipv6_mapped().octets())
        } else {
            record(name, A, &ADDRESS.octets())
        }
    }

    fn answer(&self, records: &[Vec<u8>]) -> Vec<u8> {
        let count = u16::try_from(records.len()).expect("64 kB at most");
        let mut message = self.header(1, count);
        message.extend(wire_name(&self.name));
        message.extend(self.kind.to_be_bytes());
        message.extend([0, 1]);
        message.extend(records.concat());
        message
    }

    fn header(&self, questions: u8, answers: u16) -> Vec<u8> {
        const RESPONSE_THAT_RECURSES: [u8; 2] = [0x81, 0x80];
        let [high, low] = answers.to_be_bytes();
        let counts = [0, questions, high, low, 0, 0, 0, 0];
        [&self.id.to_be_bytes()[..], &RESPONSE_THAT_RECURSES, &counts].concat()
    }
}

fn alias_of(name: &str, target: &str) -> Vec<u8> {
    record(name, CNAME, &wire_name(target))
}

fn record(name: &str, kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("64 kB at most");
    let mut record = wire_name(name);
    record.extend(kind.to_be_bytes());
    record.extend([0, 1, 0, 0, 0, 60]);
    record.extend(length.to_be_bytes());
    record.extend(content);
    record
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(u8::try_from(label.len()).expect("a label"));
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}
