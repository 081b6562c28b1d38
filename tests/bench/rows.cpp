#include <algorithm>
#include <array>

#include "tests/bench/row.h"

namespace pqd::bench {
namespace {

constexpr std::array kRows = std::to_array<Row>({
    {"raw-lane", "records of 64 bytes from process to process, and there and back", measure_raw_lane},
    {"submit-call", "what one submit call costs its producer", measure_submit_call},
    {"durable-submit", "submits of 200 bytes, each synced before it is acknowledged", measure_durable_submit},
    {"whole-life", "submit, deliver, complete, all durable", measure_whole_life},
    {"acknowledgement", "one durable submit at a time", measure_acknowledgement},
    {"to-handler", "from a submit of durability memory to its consumer's code", measure_to_handler},
    {"urgent", "an urgent job while less urgent ones keep the daemon busy", measure_urgent},
    {"producers", "1 to 256 producers at once", measure_producers},
    {"commit-size", "throughput, by how many jobs a commit holds", measure_commit_size},
    {"backlog", "very many live jobs: memory, start, drain", measure_backlog},
    {"cost", "the engine's CPU time a job, and where it goes", measure_cost},
    {"idle", "128 sessions that do nothing", measure_idle},
});

}  // namespace

std::span<const Row> all_rows() { return kRows; }

const Row* find_row(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &Row::name);
  return found == kRows.end() ? nullptr : found;
}

}  // namespace pqd::bench
