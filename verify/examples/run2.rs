use retrace_verify::*;
use schemas::topics;
fn main() -> anyhow::Result<()> {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap())?;
    let get = |name: &str| {
        text.lines()
            .find_map(|l| l.strip_prefix(name))
            .map(|l| l.trim_start_matches(" = ").trim_matches('"').to_owned())
            .unwrap()
    };
    let id = std::env::args().nth(2).unwrap();
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", get("kafka_brokers"));
    let log = LogReader { config, topic_prefix: get("topic_prefix") };
    for t in [topics::KEYS, topics::TELEMETRY] {
        let ends = log.ends(t)?;
        log.read(t, &ends, |r| {
            if t == topics::KEYS {
                if let Some((_, i, k)) = schemas::sealing::parse_key_record_key(&r.key) {
                    if i == id {
                        println!("key {} {} {k:02x?} {:?}", r.partition, r.offset, r.value.map(|v| v.len()));
                    }
                }
            } else {
                let e = r.envelope.unwrap();
                if e.subject == id || true {
                    let ev = schemas::Event::decode(&e.kind, r.value.as_ref().unwrap()).unwrap().unwrap();
                    match ev {
                        schemas::Event::TraceRecorded(x) if x.trace_id == id => println!(
                            "{} {} {} {} {:?} key {:?} {} spans",
                            r.partition,
                            r.offset,
                            e.time,
                            e.id,
                            x.phase,
                            x.content.as_ref().map(|c| (format!("{:02x?}", &c.key_id.as_slice()), c.key_offset)),
                            x.spans.len()
                        ),
                        schemas::Event::ContentChunk(x) if x.trace_id == id => println!(
                            "{} {} {} chunk {}/{} {:02x?} {}",
                            r.partition,
                            r.offset,
                            e.time,
                            x.n,
                            x.of,
                            &x.content.key_id.as_slice(),
                            x.content.key_offset
                        ),
                        o => {
                            if e.subject == id {
                                println!("{} {} {} {}", r.partition, r.offset, e.time, o.kind())
                            }
                        }
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}
