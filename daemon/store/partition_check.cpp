#include "daemon/store/partition_check.h"

#include <algorithm>
#include <map>

#include "daemon/store/done_index.h"
#include "daemon/store/live_numbers.h"
#include "daemon/store/recovery.h"
#include "daemon/store/store.h"

namespace pqd {
namespace {

// Which keys there are, however they are ordered: count, and sum of their hashes.
struct KeySet {
  uint64_t count = 0;
  uint64_t sum = 0;

  void add(const DoneKey& key) {
    const DoneKeyBytes bytes = write_done_key(key);
    uint64_t hash = 14'695'981'039'346'656'037u;  // FNV-1a
    for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 1'099'511'628'211u;
    sum += hash;
    ++count;
  }
  friend bool operator==(const KeySet&, const KeySet&) = default;
};

class PartitionCheck {
 public:
  PartitionCheck(const Store& store, StoreReport& report) : store_(store), report_(report) {}

  void run(const std::optional<Testimony>& testimony) {
    check_checkpoint();
    if (auto known = known_to_survive(store_, testimony))
      known_ = *known;
    else
      fault("database", known.error().text);
    check_journal();
    check_live();
    check_done();
    check_dead_letters();
    check_keys();
    check_figures();
    check_recovery(testimony);
  }

 private:
  void fault(std::string_view part, std::string text) { add_fault(report_, part, std::move(text)); }
  void fault(std::string_view part, const StoreResult<void>& read) {
    if (!read) fault(part, read.error().text);
  }

  void check_checkpoint() {
    const auto checkpoint = store_.load_checkpoint();
    if (!checkpoint) return fault("checkpoint", checkpoint.error().text);
    if (!*checkpoint) return;
    report_.covered = (*checkpoint)->covered;
    auto tables = Tables::decode((*checkpoint)->tables);
    if (!tables) return fault("checkpoint", "its tables cannot be read");
    tables_ = std::move(*tables);
  }

  void check_journal() {
    uint64_t last = 0;
    ChainHash hash{};
    const auto read = store_.for_each_commit(1, [&](uint64_t number, ByteView entry, ByteView block) {
      const std::string name = "commit " + std::to_string(number);
      const auto view = read_entry(entry);
      if (number != last + 1 && last >= std::max(report_.covered, known_)) {
        report_.remarks.push_back("the journal has a gap behind commit " + std::to_string(last) +
                                  ", as a power cut leaves it: the next start removes commit " +
                                  std::to_string(number) + " and what follows");
        return false;
      }
      if (number != last + 1)
        fault("journal", "the commits " + std::to_string(last + 1) + " to " + std::to_string(number - 1) +
                             " are missing");
      else if (view && view->head.previous != hash)
        fault("journal", name + " is not chained to the commit before it");
      if (!view)
        fault("journal", name + ": " + std::string(view.error()));
      else if (view->head.number != number)
        fault("journal", name + " holds commit " + std::to_string(view->head.number));
      else if (!(number <= report_.covered ? alive_.take(*view) : LiveNumbers().take(*view)))
        fault("journal", name + ": its events cannot be read");
      else if (number > report_.covered && view->head.block_bytes != block.size())
        fault("journal", name + ": its block is missing or cut short");
      holes_ |= number != last + 1 || !view;
      last = number;
      hash = entry_hash(entry);
      ++report_.commits;
      return true;
    });
    report_.last_commit = last;
    holes_ |= !read || last < report_.covered;
    if (!read) fault("journal", "after commit " + std::to_string(last) + ": " + read.error().text);
    if (last < report_.covered)
      fault("journal", "it ends before commit " + std::to_string(report_.covered) +
                           ", up to which the checkpoint covers");
  }

  bool known(const JobCore& job) const {
    return job.queue < tables_.queue_count() && job.type < tables_.type_count();
  }

  void check_live() {
    auto rowless = alive_.numbers();
    fault("live", store_.for_each_live([&](JobNo job, ByteView bytes) {
      ++report_.live_jobs;
      rowless.erase(job);
      if (!holes_ && !alive_.numbers().contains(job))
        fault("live", "job " + std::to_string(job) + " has a row, and by the journal it does not live");
      const auto row = decode_row(bytes);
      const std::string name = "the row of live job " + std::to_string(job);
      if (!row)
        fault("live", name + " cannot be read");
      else if (row->core.no != job || is_finished(row->core.state) || !known(row->core))
        fault("live", name + " holds something else");
      return true;
    }));
    if (holes_) return;  // the journal cannot tell
    for (const JobNo job : rowless)
      fault("live", "job " + std::to_string(job) + " lives by the journal, and has no row");
  }

  void check_done() {
    KeySet rows;
    fault("done", store_.for_each_done(std::nullopt, [&](const JobId& id, ByteView bytes) {
      ++report_.finished_jobs;
      const auto row = decode_row(bytes);
      const std::string name = "the row of finished job " + id.to_string();
      if (!row)
        fault("done", name + " cannot be read");
      else if (row->core.id != id || !is_finished(row->core.state) || !known(row->core))
        fault("done", name + " holds something else");
      else
        rows.add({DoneGroup::of(row->core), id});
      return true;
    }));
    KeySet index;
    fault("index", store_.for_each_indexed([&](const std::optional<DoneKey>& key) {
      if (key)
        index.add(*key);
      else
        fault("index", "a key of the index of finished jobs cannot be read");
      return true;
    }));
    const auto indexed = store_.has_index();
    if (!indexed) return fault("index", indexed.error().text);
    if (*indexed && rows != index)
      fault("index", "the index has " + std::to_string(index.count) + " finished jobs, there are " +
                         std::to_string(rows.count) +
                         (rows.count == index.count ? ", but not all of them are the same" : ""));
  }

  void check_dead_letters() {
    std::map<QueueNo, uint64_t> counted;
    fault("dead letters", store_.for_each_dead_letter([&](JobNo job, const JobId& id) {
      ++report_.dead_letters;
      const auto bytes = store_.find_done(id);
      const auto core = bytes && *bytes ? decode_row_core(**bytes) : std::unexpected(Error::kNotFound);
      if (core && core->no == job)
        ++counted[core->queue];
      else
        fault("dead letters", "dead letter " + id.to_string() + " has no row of its life");
      return true;
    }));
    for (QueueNo queue = 0; queue < tables_.queue_count(); ++queue)
      if (tables_.queue(queue).dead_letters != counted[queue])
        fault("dead letters", "queue " + tables_.queue(queue).name + " has " +
                                  std::to_string(counted[queue]) + ", its count says " +
                                  std::to_string(tables_.queue(queue).dead_letters));
  }

  void check_keys() {
    fault("keys", store_.for_each_key([&](bool readable) {
      ++report_.keys;
      if (!readable) fault("keys", "the row of an idempotency key cannot be read");
      return true;
    }));
  }

  void check_figures() {
    fault("figures", store_.for_each_metrics({}, [&](const MetricsKey& key, ByteView bytes) {
      ++report_.figures;
      const bool known = key.queue < tables_.queue_count() && key.type < tables_.type_count();
      if (!known || key.start_ns != start_of(key.resolution, key.start_ns) || !decode_metrics_row(bytes))
        fault("figures", "a row of figures cannot be read");
      return true;
    }));
  }

  void check_recovery(const std::optional<Testimony>& testimony) {
    State state;
    const auto recovered =
        recover(store_, testimony, state, [](uint64_t, ByteView, ByteView) { return true; });
    report_.starts = recovered.has_value();
    if (!recovered) return fault("recovery", recovered.error().text);
    report_.live_jobs = 0;
    state.jobs.for_each(
        [&](Slot slot) { report_.live_jobs += is_finished(state.jobs[slot].state) ? 0u : 1u; });
  }

  const Store& store_;
  StoreReport& report_;
  Tables tables_;
  uint64_t known_ = 0;  // to survive power loss
  LiveNumbers alive_;   // up to the checkpoint
  bool holes_ = false;
};

}  // namespace

void check_partition(const Store& store, const std::optional<Testimony>& testimony, StoreReport& report) {
  PartitionCheck(store, report).run(testimony);
}

}  // namespace pqd
