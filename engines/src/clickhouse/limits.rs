//! What the embedded engine is started with, where that differs from a server's defaults or from its own.

use std::path::Path;

/// Arguments in the form of `clickhouse local`: server settings and default query settings alike.
pub(super) fn arguments(data: &Path, memory: u64) -> Vec<String> {
    let megabytes = |n: u64| (n * 1024 * 1024).to_string();
    let settings: &[(&str, String)] = &[
        ("logger.console", "1".into()),
        ("log-level", "error".into()),
        // Memory: the whole stack is to fit in 2 GB.
        ("max_server_memory_usage", memory.to_string()),
        ("max_memory_usage", (memory / 4 * 3).to_string()),
        ("merges_mutations_memory_usage_soft_limit", (memory / 2).to_string()),
        ("max_bytes_before_external_group_by", (memory / 4).to_string()),
        ("max_bytes_before_external_sort", (memory / 4).to_string()),
        ("mark_cache_size", megabytes(64)),
        ("primary_index_cache_size", megabytes(64)),
        ("index_mark_cache_size", megabytes(32)),
        ("vector_similarity_index_cache_size", megabytes(64)),
        ("text_index_tokens_cache_size", megabytes(32)),
        ("text_index_header_cache_size", megabytes(32)),
        ("text_index_postings_cache_size", megabytes(32)),
        ("query_condition_cache_size", megabytes(16)),
        ("compiled_expression_cache_size", megabytes(32)),
        // A streamed insert is parsed into blocks; without this a block is a million rows of any width.
        ("max_insert_block_size_bytes", megabytes(64)),
        ("min_insert_block_size_bytes", megabytes(64)),
        // Background work: two merges at a time, on the machine that also serves.
        ("background_pool_size", "2".into()),
        ("background_merges_mutations_concurrency_ratio", "1".into()),
        ("background_common_pool_size", "2".into()),
        ("background_schedule_pool_size", "4".into()),
        // Where the embedded engine differs from a server.
        ("implicit_select", "0".into()),
        ("allow_introspection_functions", "0".into()),
        ("storage_file_read_method", "pread".into()),
        // Servers from 26.2 on buffer inserts; a flush of the projector is one insert and is acknowledged as such.
        ("async_insert", "0".into()),
    ];
    std::iter::once(format!("--path={}", data.display()))
        .chain(settings.iter().map(|(name, value)| format!("--{name}={value}")))
        .collect()
}
