//! Crashes between any two rows, batches read again, and two writers at once: the rows are those of a chain that is
//! computed in one go, and a row that is written again is the same row.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use runtime::Settings;
use schemas::audit;
use schemas::events::LogCreated;
use schemas::{Envelope, ids, topics};
use time::OffsetDateTime;

use super::chain::{ChainKey, Head};
use super::rows::AuditRow;
use super::store::Chains;
use super::{Audit, HEADS};
use crate::Checkpoint;
use crate::log::decode::{Decoded, Outcome, Write};
use crate::projections::Projection;
use crate::store::CheckpointRow;

const TOPIC: &str = topics::TELEMETRY;
const TENANTS: [&str; 3] = ["acme", "globex", "initech"];
const PARTITIONS: [i32; 2] = [3, 4];

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// A table in memory. It takes rows one by one, and crashes when its budget is spent.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Tables>>);

#[derive(Default)]
struct Tables {
    rows: BTreeMap<Place, AuditRow>,
    next: BTreeMap<u16, u64>,
    budget: Option<u64>,
}

impl Tables {
    fn spend(&mut self) -> anyhow::Result<()> {
        if let Some(budget) = &mut self.budget {
            anyhow::ensure!(*budget > 0, "crash");
            *budget -= 1;
        }
        Ok(())
    }
}

impl Chains for Memory {
    async fn heads(&self, _: &str, before: &[(ChainKey, i64)]) -> anyhow::Result<Vec<(ChainKey, Head)>> {
        let tables = self.0.lock().unwrap();
        let head = |((tenant, partition), offset): &(ChainKey, i64)| {
            let range = (tenant.clone(), *partition as u16, 0)..(tenant.clone(), *partition as u16, *offset as u64);
            let (_, row) = tables.rows.range(range).next_back()?;
            let hash = row.hash.clone().try_into().unwrap();
            Some(((tenant.clone(), *partition), Head { offset: row.at_offset as i64, nth: row.nth, hash }))
        };
        Ok(before.iter().filter_map(head).collect())
    }

    async fn checkpoints(&self, _: &str) -> anyhow::Result<Vec<Checkpoint>> {
        Ok(Vec::new())
    }

    async fn write(&self, rows: &[AuditRow]) -> anyhow::Result<()> {
        let mut tables = self.0.lock().unwrap();
        for row in rows {
            tables.spend()?;
            let key = (row.tenant.clone(), row.partition, row.at_offset);
            if let Some(held) = tables.rows.insert(key, row.clone()) {
                assert_eq!(held, *row, "a row has changed");
            }
        }
        Ok(())
    }

    async fn write_checkpoints(&self, rows: &[CheckpointRow]) -> anyhow::Result<()> {
        let mut tables = self.0.lock().unwrap();
        for row in rows {
            tables.spend()?;
            let next = tables.next.entry(row.partition).or_default();
            *next = (*next).max(row.next_offset);
        }
        Ok(())
    }
}

fn decoded(partition: i32, offset: i64, outcome: Outcome) -> Decoded {
    let event_id = ids::event_id().to_string();
    Decoded { partition, offset, version: offset as u64, timestamp_ms: 0, bytes: 1, event_id, outcome }
}

fn write(random: &mut Random, offset: i64) -> Write {
    let envelope = Envelope {
        id: ids::event_id(),
        kind: "dev.retrace.golden.set.v1".to_owned(),
        source: "/test".to_owned(),
        // Clocks run backwards now and then.
        time: OffsetDateTime::from_unix_timestamp(1_763_600_000 + (offset * 7) % 5).unwrap(),
        subject: random.below(9).to_string(),
        tenant: TENANTS[random.below(3) as usize].to_owned(),
        actor: "a".to_owned(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    Write { envelope, facts: "{}".to_owned(), content: [random.below(256) as u8; 32] }
}

/// By partition.
type Log = BTreeMap<i32, Vec<Decoded>>;

fn log(random: &mut Random) -> Log {
    let partition = |partition, random: &mut Random| {
        let record = |offset| {
            let is_write = random.below(4) > 0;
            let outcome = if is_write { Outcome::Write(Box::new(write(random, offset))) } else { Outcome::Skipped };
            decoded(partition, offset, outcome)
        };
        (0..40).map(record).collect::<Vec<_>>()
    };
    PARTITIONS.into_iter().map(|at| (at, partition(at, random))).collect()
}

/// Tenant, partition, offset.
type Place = (String, u16, u64);
/// Number, previous and own hash.
type Link = (u64, Vec<u8>, Vec<u8>);

/// In one go.
fn expected(log: &Log) -> BTreeMap<Place, Link> {
    let mut expected = BTreeMap::new();
    for (partition, records) in log {
        for tenant in TENANTS {
            let (mut nth, mut last) = (0, audit::BEGINNING);
            for record in records {
                let Outcome::Write(write) = &record.outcome else { continue };
                if write.envelope.tenant == tenant {
                    let hash = audit::link(&last, (TOPIC, *partition, record.offset), &write.envelope, &write.content);
                    nth += 1;
                    let key = (tenant.to_owned(), *partition as u16, record.offset as u64);
                    expected.insert(key, (nth, last.to_vec(), hash.to_vec()));
                    last = hash;
                }
            }
        }
    }
    expected
}

/// A projector, and where it is in each partition.
struct Writer {
    audit: Audit<Memory>,
    at: BTreeMap<i32, i64>,
}

impl Writer {
    /// Starts somewhere before the checkpoints.
    fn new(memory: &Memory, random: &mut Random) -> Writer {
        let mut audit = Audit::new(Arc::new(Settings::default()), memory.clone(), TOPIC);
        let next = memory.0.lock().unwrap().next.clone();
        let mut at = BTreeMap::new();
        for partition in PARTITIONS {
            audit.logs.insert(partition, LogCreated { log_id: "log".to_owned(), epoch: 0, partitions: 16 });
            let checkpoint = next.get(&(partition as u16)).copied().unwrap_or(0);
            at.insert(partition, (checkpoint - random.below(checkpoint + 1)) as i64);
        }
        Writer { audit, at }
    }

    fn batch(&self, log: &Log, random: &mut Random) -> Vec<Decoded> {
        let mut batch = Vec::new();
        for partition in PARTITIONS {
            let rest = &log[&partition][self.at[&partition] as usize..];
            let most = (random.below(8) as usize).min(rest.len());
            batch.extend_from_slice(&rest[..most]);
        }
        batch
    }

    fn advance(&mut self, batch: &[Decoded]) {
        for decoded in batch {
            self.at.insert(decoded.partition, decoded.offset + 1);
        }
    }

    fn is_through(&self, log: &Log) -> bool {
        PARTITIONS.iter().all(|partition| self.at[partition] as usize == log[partition].len())
    }
}

fn run(seed: u64, writers: usize) {
    let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let log = log(random);
    let memory = Memory::default();
    let mut running: Vec<Writer> = (0..writers).map(|_| Writer::new(&memory, random)).collect();
    let mut crashes = 0;
    while !running.iter().all(|writer| writer.is_through(&log)) {
        let which = random.below(writers as u64) as usize;
        let batch = running[which].batch(&log, random);
        let prepared = block_on(running[which].audit.prepare(&batch)).unwrap();
        memory.0.lock().unwrap().budget = (crashes < 20).then(|| random.below(24));
        let committed = block_on(running[which].audit.commit(&prepared));
        memory.0.lock().unwrap().budget = None;
        match committed {
            Ok(()) => running[which].advance(&batch),
            Err(_) => {
                crashes += 1;
                // The store was away for a moment, or the projector starts again.
                if random.below(2) == 0 {
                    block_on(running[which].audit.commit(&prepared)).unwrap();
                    running[which].advance(&batch);
                } else {
                    running[which] = Writer::new(&memory, random);
                }
            }
        }
    }
    let tables = memory.0.lock().unwrap();
    let found: BTreeMap<_, _> =
        tables.rows.iter().map(|(key, row)| (key.clone(), (row.nth, row.previous.clone(), row.hash.clone()))).collect();
    assert_eq!(found, expected(&log), "seed {seed}");
}

#[test]
fn a_chain_is_the_same_whatever_happens_to_its_writer() {
    (0..500).for_each(|seed| run(seed, 1));
}

#[test]
fn two_writers_at_once_write_the_same() {
    (0..500).for_each(|seed| run(seed, 2));
}

#[test]
fn a_head_in_memory_is_of_no_use_where_the_batch_is_read_again() {
    let random = &mut Random(7);
    let log = log(random);
    let records = &log[&PARTITIONS[0]];
    let memory = Memory::default();
    let mut writer = Writer::new(&memory, random);
    for batch in [&records[..30], &records[10..20], &records[5..40]] {
        let prepared = block_on(writer.audit.prepare(batch)).unwrap();
        // A row that is written again must be the same: the store says so.
        block_on(writer.audit.commit(&prepared)).unwrap();
    }
    assert!(writer.audit.heads.len() <= HEADS);
}
