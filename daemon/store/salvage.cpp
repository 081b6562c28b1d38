#include "daemon/store/salvage.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>

#include "core/job_row.h"
#include "core/metrics_row.h"
#include "daemon/store/directory_lock.h"
#include "daemon/store/done_index.h"
#include "daemon/store/format_file.h"
#include "daemon/store/live_numbers.h"
#include "daemon/store/log_files.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/raw_database.h"
#include "daemon/store/recovery.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"
#include "daemon/store/table_files.h"

namespace pqd {
namespace {

constexpr size_t kBatchBytes = 1 << 20;

std::unexpected<StoreError> refusal(std::string text, Error code = Error::kSystemError) {
  return std::unexpected(StoreError{code, std::move(text), true});
}

std::string name_of(const std::string& family, const std::string& key) {
  if (key.empty()) return "its end";
  if (const auto number = keys::number(as_bytes(key)))
    return (family == "live" || family == "dead_letters" ? "job " : "commit ") + std::to_string(*number);
  if (const auto id = keys::id(as_bytes(key)); id && family == "done") return "job " + id->to_string();
  return "a key";
}

class Salvage {
 public:
  Salvage(const std::string& from, const std::string& to) : from_(from), to_(to) {}

  StoreResult<SalvageReport> run() {
    if (auto ok = check_format(from_, false); !ok) return std::unexpected(ok.error());
    const auto lock = lock_directory(from_);
    if (!lock && lock.error().code == Error::kUnavailable)
      return refusal("a running pqd uses " + from_ + ": stop it first", Error::kUnavailable);
    if (::mkdir(to_.c_str(), 0700) != 0)
      return refusal("cannot make " + to_ + ": " + std::strerror(errno) + "; it must not be there yet",
                     errno == ENOSPC ? Error::kNoSpace : Error::kInvalidRequest);
    auto done = put_together();
    if (!done) {
      std::error_code ignored;
      std::filesystem::remove_all(to_, ignored);
      return std::unexpected(done.error());
    }
    return std::move(report_);
  }

 private:
  using Key = std::string;

  void lose(std::string what) { report_.lost.push_back(std::move(what)); }

  StoreResult<void> put_together() {
    if (auto ok = check_format(to_, true); !ok) return ok;
    {
      auto source = open_source();
      if (!source) return std::unexpected(source.error());
      auto target = RawDatabase::open(to_ + "/db", RawDatabase::Mode::kWrite);
      if (!target) return std::unexpected(target.error());
      source_ = &*source;
      target_ = &*target;
      if (auto ok = copy(); !ok) return ok;
      if (auto ok = mend(); !ok) return ok;
      if (auto ok = flush(true); !ok) return ok;
    }
    std::error_code error;
    std::filesystem::remove_all(repair_path(), error);
    return conclude();
  }

  std::string repair_path() const { return to_ + "/repair"; }

  StoreResult<RawDatabase> open_source() {
    for (const TableFile& table : table_files(from_ + "/db"))
      if (const std::string fault = fault_of_table(table.path); !fault.empty()) lose("of a table: " + fault);
    auto source = RawDatabase::open(from_ + "/db", RawDatabase::Mode::kRead);
    if (source) return source;
    report_.files_listed_anew = true;
    if (auto ok = copy_tables(); !ok) return std::unexpected(ok.error());
    if (auto ok = RawDatabase::list_anew(repair_path()); !ok) return std::unexpected(ok.error());
    auto anew = RawDatabase::open(repair_path(), RawDatabase::Mode::kWrite);
    if (!anew) return anew;
    for (const LogFile& log : log_files(from_ + "/db")) {
      const auto bad = anew->apply_log(log.path);
      if (!bad) return std::unexpected(bad.error());
      // The end of the last one is as a crash leaves it, unless the witness knows better.
      if (*bad > 0 && (!log.last || look_at_log(log.path).damage.whole_ones_follow))
        lose("of the log " + log.path + ": " + std::to_string(*bad) + " records or ends of blocks");
    }
    return anew;
  }

  StoreResult<void> copy_tables() {
    std::error_code error;
    std::filesystem::create_directory(repair_path(), error);
    for (const TableFile& table : table_files(from_ + "/db")) {
      std::filesystem::copy_file(table.path, repair_path() / std::filesystem::path(table.path).filename(),
                                 error);
      if (error)
        return refusal("cannot copy " + table.path + " to " + repair_path() + ": " + error.message(),
                       error == std::errc::no_space_on_device ? Error::kNoSpace : Error::kSystemError);
    }
    return {};
  }

  // Everything as it is, but for the index of finished jobs, which is made from them.
  StoreResult<void> copy() {
    for (const std::string& family : source_->family_names()) {
      if (family == "done_index") continue;
      StoreResult<void> written;
      source_->for_each_readable(
          family,
          [&](rocksdb::Slice key, rocksdb::Slice value) {
            if (written) written = take(family, key, value);
          },
          [&](const Key& before, const Key& behind) {
            lose(family + ": everything between " +
                 (before.empty() ? "its beginning" : name_of(family, before)) + " and " +
                 name_of(family, behind));
          });
      if (!written) return written;
    }
    batch_.Put(target_->family("meta"), slice(kIndexedKey), rocksdb::Slice());
    return flush(false);
  }

  StoreResult<void> take(const std::string& family, rocksdb::Slice key, rocksdb::Slice value) {
    if (family == "live" || family == "done") {
      const auto row = decode_row(view(value));
      if (!row) {
        lose(name_of(family, key.ToString()) + ": its row cannot be read");
        return {};
      }
      if (family == "live") live_.insert(row->core.no);
      if (family == "done") take_done(row->core);
    }
    // The fold stops at a row of figures that it cannot go on with.
    if (family == "metrics" && !decode_metrics_row(view(value))) {
      lose("figures of a minute or an hour of one queue and type: their row cannot be read");
      return {};
    }
    batch_.Put(target_->family(family), key, value);
    return batch_.GetDataSize() < kBatchBytes ? StoreResult<void>() : flush(false);
  }

  void take_done(const JobCore& core) {
    batch_.Put(target_->family("done_index"), slice(write_done_key({DoneGroup::of(core), core.id})),
               rocksdb::Slice());
    if (is_dead_letter(core)) dead_[core.no] = core.queue;
  }
  static bool is_dead_letter(const JobCore& core) {
    return core.state == JobState::kFailed || core.state == JobState::kTimeout;
  }

  StoreResult<void> flush(bool sync) {
    rocksdb::WriteOptions options;
    options.sync = sync;
    const auto status = target_->db().Write(options, &batch_);
    batch_.Clear();
    if (!status.ok()) return failure("cannot write to " + to_, status);
    return {};
  }

  // What the parts must agree on, so that a start finds them so.
  StoreResult<void> mend() {
    if (auto ok = read_checkpoint(); !ok) return ok;
    if (auto ok = cut_journal(); !ok) return ok;
    mend_live();
    mend_dead_letters();
    Bytes head;
    ByteWriter writer(head);
    writer.pod(covered_);
    writer.raw_bytes(tables_.encode());
    if (has_checkpoint_) batch_.Put(target_->family("meta"), slice(kCheckpointKey), slice(head));
    return flush(false);
  }

  StoreResult<void> read_checkpoint() {
    std::string value;
    const auto status = target_->db().Get({}, target_->family("meta"), slice(kCheckpointKey), &value);
    has_checkpoint_ = status.ok();
    if (!has_checkpoint_) {
      // Right for a young store: then all is in the journal.
      if (live_.empty() && dead_.empty()) return {};
      return refusal("the checkpoint cannot be read: without it the rows mean nothing; restore a backup");
    }
    ByteReader reader(as_bytes(value));
    covered_ = reader.pod<uint64_t>();
    auto tables = Tables::decode(reader.raw_bytes(reader.remaining()));
    if (!tables) return refusal("the tables of the checkpoint cannot be read; restore a backup");
    tables_ = std::move(*tables);
    return {};
  }

  // A start replays what is behind the checkpoint: up to the first that is not there or not the next.
  StoreResult<void> cut_journal() {
    const std::unique_ptr<rocksdb::Iterator> it(target_->db().NewIterator({}, target_->family("journal")));
    uint64_t last = 0;
    ChainHash hash{};
    bool cut = false;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const uint64_t number = keys::number(view(it->key())).value_or(0);
      const auto entry = read_entry(view(it->value()));
      const bool next = number == last + 1 && entry && entry->head.number == number &&
                        (entry->head.previous == hash) && !cut;
      if (number <= covered_) {
        if (!next) note_hole(last, number);
        if (entry) alive_.take(*entry);
        whole_history_ &= next;
      } else if (const std::string why = why_cut(number, next, entry ? &*entry : nullptr);
                 cut || !why.empty()) {
        if (!cut) lose("commit " + std::to_string(last + 1) + " and all behind it: " + why);
        cut = true;
        batch_.Delete(target_->family("journal"), it->key());
        batch_.Delete(target_->family("blocks"), it->key());
        continue;
      }
      last = number;
      hash = entry_hash(view(it->value()));
    }
    report_.last_commit = last;
    if (last < covered_)
      return refusal("commit " + std::to_string(covered_) +
                     ", up to which the checkpoint covers, cannot be read; restore a backup");
    return {};
  }

  // Why the journal ends before this commit behind the checkpoint; "" = it goes on.
  std::string why_cut(uint64_t number, bool next, const EntryView* entry) {
    if (!next) return "they do not follow on one another";
    if (!block_is_whole(number, entry->head.block_bytes)) return "its block is missing or cut short";
    if (whole_history_ && needs_any(*entry, rowless()))
      return "it goes on with a job whose row cannot be read";
    return {};
  }

  // Those of the checkpoint that live by the journal, and have no row.
  const std::unordered_set<JobNo>& rowless() {
    if (!rowless_) {
      rowless_ = alive_.numbers();
      for (const JobNo job : live_) rowless_->erase(job);
    }
    return *rowless_;
  }

  void note_hole(uint64_t last, uint64_t number) {
    if (number == last + 1)
      lose("history: commit " + std::to_string(number) + " is not the one that followed");
    else
      lose("history: the commits " + std::to_string(last + 1) + " to " + std::to_string(number - 1) +
           ", which nothing depends on any more");
  }

  bool block_is_whole(uint64_t number, uint64_t bytes) {
    if (bytes == 0) return true;
    std::string block;
    const auto status = target_->db().Get({}, target_->family("blocks"), slice(keys::of(number)), &block);
    return status.ok() && block.size() == bytes;
  }

  void mend_live() {
    if (!whole_history_) return;
    for (const JobNo job : live_) {
      if (alive_.numbers().contains(job)) continue;
      lose("job " + std::to_string(job) + " has ended, and how cannot be read");
      batch_.Delete(target_->family("live"), slice(keys::of(job)));
    }
    for (const JobNo job : rowless())
      lose("job " + std::to_string(job) + " lived, and its row cannot be read");
  }

  void mend_dead_letters() {
    std::map<QueueNo, uint64_t> counted;
    const std::unique_ptr<rocksdb::Iterator> it(
        target_->db().NewIterator({}, target_->family("dead_letters")));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const auto found = dead_.find(keys::number(view(it->key())).value_or(0));
      if (found != dead_.end()) {
        ++counted[found->second];
        continue;
      }
      lose("dead letter " + name_of("dead_letters", it->key().ToString()));
      batch_.Delete(target_->family("dead_letters"), it->key());
    }
    for (QueueNo queue = 0; queue < tables_.queue_count(); ++queue)
      while (tables_.queue(queue).dead_letters != counted[queue])
        tables_.count_dead_letter(queue, tables_.queue(queue).dead_letters < counted[queue] ? +1 : -1);
  }

  // A start like any other, and its witness.
  StoreResult<void> conclude() {
    {
      auto store = Store::open({.directory = to_});
      if (!store) return std::unexpected(store.error());
      State state;
      const auto recovered =
          recover(**store, std::nullopt, state, [](uint64_t, ByteView, ByteView) { return true; });
      if (!recovered) return std::unexpected(recovered.error());
      if (auto ok = (*store)->go_on_after(recovered->last_commit); !ok) return ok;
      if (auto ok = (*store)->sync(recovered->last_commit); !ok) return ok;
      auto witness = Witness::open(to_);
      if (!witness) return std::unexpected(witness.error());
      if (recovered->last_commit > 0)
        if (auto ok = witness->record({recovered->last_commit, recovered->last_hash}); !ok) return ok;
      note_witnessed(recovered->last_commit);
    }
    report_.after = check_store(to_);
    return {};
  }

  void note_witnessed(uint64_t last) {
    const auto told = Witness::read(from_);
    if (told && *told && (*told)->commit > last)
      lose("the commits " + std::to_string(last + 1) + " to " + std::to_string((*told)->commit) +
           " at least, which were acknowledged");
  }

  const std::string& from_;
  const std::string& to_;
  RawDatabase* source_ = nullptr;
  RawDatabase* target_ = nullptr;
  rocksdb::WriteBatch batch_;
  SalvageReport report_;
  bool has_checkpoint_ = false;
  uint64_t covered_ = 0;
  Tables tables_;
  LiveNumbers alive_;
  bool whole_history_ = true;
  std::unordered_set<JobNo> live_;
  std::optional<std::unordered_set<JobNo>> rowless_;
  std::map<JobNo, QueueNo> dead_;
};

}  // namespace

StoreResult<SalvageReport> salvage_store(const std::string& from, const std::string& to) {
  return Salvage(from, to).run();
}

}  // namespace pqd
