// What the driver demands at the end of every test: live state, replayed state, state restored from rows, and
// tables folded by themselves are the same, and the figures are what a recount comes to.
#include "core/event_codec.h"
#include "core/fold.h"
#include "core/last_words.h"
#include "core/short_hash.h"
#include "tests/core/driver.h"
#include "tests/core/journal_figures.h"
#include "tests/support/metrics_recount.h"

namespace pqd::test {
namespace {

// The tables' own fold, as whoever has no job in memory does it.
class TablesFold {
 public:
  explicit TablesFold(Tables& tables) : tables_(tables) {}
  void begin(ByteView block) { block_ = block; }

  template <class Event>
  void operator()(const Event& e) {
    take(e);
  }

 private:
  template <class Event>
  void take(const Event& e) {
    if constexpr (requires(Tables & t) { t.apply(e); }) tables_.apply(e);
    if constexpr (std::is_same_v<Event, Failed> || std::is_same_v<Event, TimedOut>)
      tables_.count_dead_letter(queue_of_[e.job], +1);
  }
  void take(const Submitted& e) {
    queue_of_[e.job] = e.queue;
    const auto submit = read_submit_record(block_.subspan(e.record.offset, e.record.bytes));
    EXPECT_EQ(e.payload_hash, short_hash(submit->payload)) << "job " << e.job;
    tables_.apply(e, read_submit_record(block_.subspan(e.record.offset, e.record.bytes))->head.id);
  }
  void take(const Completed& e) {
    const ByteView result = block_.subspan(e.result.offset, e.result.bytes);
    EXPECT_EQ(e.result_hash, result.empty() ? ShortHash{} : short_hash(result)) << "job " << e.job;
  }
  void take(const CronSet& e) { tables_.apply(e, block_.subspan(e.record.offset, e.record.bytes)); }
  void take(const Redriven& e) {
    queue_of_[e.job] = queue_of_[e.was];
    tables_.apply(e);
    tables_.count_dead_letter(queue_of_[e.job], -1);
  }

  void take(const Purged& e) { tables_.count_dead_letter(queue_of_[e.job], -1); }

  Tables& tables_;
  ByteView block_;
  std::map<JobNo, QueueNo> queue_of_;
};

void expect_same_live_jobs(const State& state, const State& other, const char* which) {
  state.jobs.for_each([&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (is_memory(core.no)) return;  // it lives here and nowhere else
    const Slot there = other.jobs.find(core.no);
    if (there == kNoSlot) {
      ADD_FAILURE() << which << ": job " << core.no << " is missing";
    } else {
      EXPECT_TRUE(encode_row(row_of(state, slot)) == encode_row(row_of(other, there)))
          << which << ": job " << core.no << " differs";
    }
  });
}

void expect_same_ages(const State& state, const State& other, const char* which) {
  for (QueueNo queue = 0; queue < state.tables.queue_count(); ++queue)
    EXPECT_EQ(queue_info(state, queue).oldest_ready_ns, queue_info(other, queue).oldest_ready_ns)
        << which << ": queue " << queue;
}

}  // namespace

void Driver::demand_replay_agrees() {
  // Every block is used by its jobs alone, now that no commit is open and no delivery unpublished.
  std::map<BlockNo, uint32_t> users;
  state.jobs.for_each([&](Slot slot) {
    ++users[state.jobs[slot].record.block];
    const JobExtra* extra = state.jobs.extra_of(slot);
    if (extra != nullptr && !extra->result.empty()) ++users[extra->result.block];
  });
  if (state.memory.open_block() != kNoBlock) ++users[state.memory.open_block()];
  EXPECT_EQ(state.blocks.blocks_in_use(), users.size()) << "a block is kept that nobody needs";
  for (const auto& [block, count] : users) EXPECT_EQ(state.blocks.users(block), count) << "block " << block;

  State replayed;
  replayed.timers.start(kStartNs);
  Tables tables;
  TablesFold tables_fold(tables);
  ChainHash previous{};
  JournalFigures figures(1 + commits.size() % 7);
  MetricsRecount recount;
  LastWords last_words;
  for (const Commit& commit : commits) {
    const auto view = read_entry(*commit.entry);
    ASSERT_TRUE(view.has_value()) << view.error();
    EXPECT_EQ(view->head.previous, previous) << "the chain is broken before commit " << commit.number;
    previous = entry_hash(*commit.entry);
    EXPECT_EQ(view->head.block_bytes, commit.block_bytes->size());
    ASSERT_TRUE(replayed.replay(commit.number, view->events, *commit.block_bytes));
    replayed.check_invariants(State::Walk::kReplayed);
    tables_fold.begin(*commit.block_bytes);
    ByteReader reader(view->events);
    uint32_t events = 0;
    for (; reader.remaining() > 0; ++events) ASSERT_TRUE(decode_event(reader, tables_fold));
    EXPECT_EQ(view->head.event_count, events);
    figures.add(*commit.entry, *commit.block_bytes);
    recount.add(*commit.entry);
    last_words.take(*view, [](JobNo job) { return job % 2 == 0; });
  }
  EXPECT_TRUE(figures.rows() == recount.rows()) << "the figures are not what a recount comes to";
  // Turns without events move the live clock only.
  EXPECT_LE(replayed.now(), state.now());
  replayed.apply(TimePassed{state.now()});
  tables.apply(TimePassed{state.now()});
  // Jobs of durability `memory` take numbers that no journal tells of.
  const bool told_all = !state.had_memory_jobs;
  EXPECT_TRUE(!told_all || replayed.tables.encode() == state.tables.encode()) << "replayed tables differ";
  EXPECT_TRUE(tables.encode() == replayed.tables.encode()) << "tables folded alone differ";
  expect_same_live_jobs(state, replayed, "replayed");
  if (told_all) expect_same_ages(state, replayed, "replayed");
  replayed.jobs.for_each([&](Slot slot) {
    const JobCore core = replayed.jobs.core(slot);
    const bool retired = store.rows.contains(core.id) && is_finished(core.state);
    EXPECT_TRUE(retired || state.jobs.find(core.no) != kNoSlot) << "replay has one job more: " << core.no;
  });

  replayed.jobs.for_each([&](Slot slot) {
    const JobCore core = replayed.jobs.core(slot);
    EXPECT_EQ(last_words.ended(core.no), is_finished(core.state) && core.no % 2 == 0) << "job " << core.no;
    EXPECT_TRUE(is_finished(core.state) || !last_words.contradict(core)) << "job " << core.no;
  });

  State restored;
  auto decoded = Tables::decode(state.tables.encode());
  ASSERT_TRUE(decoded.has_value());
  restored.tables = std::move(*decoded);
  restored.timers.start(restored.now());
  RowBatch batch;
  state.jobs.for_each([&](Slot slot) {
    const JobCore core = state.jobs.core(slot);
    if (is_finished(core.state) || is_memory(core.no)) return;
    const Bytes row = encode_row(row_of(state, slot));
    if (!batch.has_room_for(row)) {
      ASSERT_TRUE(restored.restore(std::exchange(batch, {})));
    }
    ASSERT_TRUE(batch.add(row)) << "job " << core.no;
  });
  ASSERT_TRUE(restored.restore(std::move(batch)));
  restored.restored();
  restored.check_invariants(State::Walk::kReplayed);
  expect_same_live_jobs(restored, state, "restored");
  if (told_all) expect_same_ages(restored, state, "restored");
}

}  // namespace pqd::test
