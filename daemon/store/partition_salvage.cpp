#include "daemon/store/partition_salvage.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_set>

#include "core/job_row.h"
#include "core/last_words.h"
#include "core/metrics_row.h"
#include "core/tables.h"
#include "daemon/store/birth_pack.h"
#include "daemon/store/done_index.h"
#include "daemon/store/done_pack.h"
#include "daemon/store/live_numbers.h"
#include "daemon/store/meta_keys.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/row_pack.h"
#include "daemon/store/tuning.h"

namespace pqd {
namespace {

constexpr size_t kBatchBytes = 1 << 20;
constexpr const char* kHasEnded = " has ended, and how cannot be read";
constexpr std::array<std::string_view, 5> kLaidOut{"packs", "packed_rows", "done_packs", "done_index",
                                                   "index_packs"};

std::unexpected<StoreError> refusal(std::string text) {
  return std::unexpected(StoreError{Error::kSystemError, std::move(text), true});
}

std::string name_of(const std::string& family, const std::string& key) {
  if (key.empty()) return "its end";
  if (const auto number = keys::number(as_bytes(key)))
    return (family == "live" || family == "dead_letters" ? "job " : "commit ") + std::to_string(*number);
  if (const auto id = keys::id(as_bytes(key)); id && family == "done") return "job " + id->to_string();
  return "a key";
}

class PartitionSalvage {
 public:
  PartitionSalvage(const RawDatabase& source, const RawDatabase& target, PartitionNo partition,
                   std::vector<std::string>& lost)
      : source_(source), target_(target), partition_(partition), lost_(lost) {}

  StoreResult<uint64_t> run() {
    if (auto ok = copy(); !ok) return std::unexpected(ok.error());
    if (auto ok = mend(); !ok) return std::unexpected(ok.error());
    if (auto ok = flush(true); !ok) return std::unexpected(ok.error());
    return last_commit_;
  }

 private:
  using Key = std::string;

  void lose(std::string what) { lost_.push_back(std::move(what)); }
  rocksdb::ColumnFamilyHandle* target(std::string_view kind) const {
    return target_.family(family_name(kind, partition_));
  }

  // Everything as it is, but for packed rows, which are laid out one by one, and the index of finished jobs,
  // which is made from them.
  StoreResult<void> copy() {
    if (auto ok = copy_packed(); !ok) return ok;
    if (auto ok = copy_done_packs(); !ok) return ok;
    for (const std::string_view kind : kFamilyKinds) {
      if (std::ranges::find(kLaidOut, kind) != kLaidOut.end() || !is_there(kind)) continue;
      const std::string family(kind);
      StoreResult<void> written;
      source_.for_each_readable(
          family_name(kind, partition_),
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
    batch_.Put(target("meta"), slice(kIndexedKey), rocksdb::Slice());
    return flush(false);
  }

  bool is_there(std::string_view kind) const {
    return source_.family(family_name(kind, partition_)) != nullptr;
  }

  // Before the rows of jobs that have changed since: those count.
  StoreResult<void> copy_packed() {
    if (!is_there("packs") || !is_there("packed_rows")) return {};
    const auto lost = [this](const Key& before, const Key& behind) {
      lose("packed rows: everything between " +
           (before.empty() ? "their beginning" : name_of("live", before)) + " and " +
           name_of("live", behind));
    };
    const auto pack_lost = [this](rocksdb::Slice key, const char* why) {
      lose("packed rows from " + name_of("live", key.ToString()) + " on: " + why);
    };
    std::map<Key, PackHead> heads;
    const auto take_head = [&](rocksdb::Slice key, rocksdb::Slice value) {
      if (auto head = PackHead::decode(view(value)))
        heads.emplace(key.ToString(), std::move(*head));
      else
        pack_lost(key, "their head cannot be read");
    };
    StoreResult<void> written;
    const auto take_rows = [&](rocksdb::Slice key, rocksdb::Slice value) {
      const auto found = heads.find(key.ToString());
      if (found == heads.end()) return pack_lost(key, "they have no head");
      const PackHead& head = found->second;
      const auto piece = head.piece ? read_piece(*head.piece) : std::string();
      if (!piece) return pack_lost(key, "their records cannot be read");
      const auto rows = lay_rows(head, view(value), as_bytes(*piece));
      if (!rows) return pack_lost(key, "they cannot be read");
      const JobNo first = keys::number(view(key)).value_or(0);
      for (size_t at = 0; written && at < head.size(); ++at)
        if (head.counts(at))
          written = take("live", slice(keys::of(first + head.distance(at))), slice(rows->rows[at]));
    };
    source_.for_each_readable(family_name("packs", partition_), take_head, lost);
    source_.for_each_readable(family_name("packed_rows", partition_), take_rows, lost);
    return written;
  }

  std::optional<std::string> read_piece(const BlockPiece& piece) const {
    std::string bytes;
    const BlockPieceKey key(piece);
    const auto blocks = source_.family(family_name("blocks", partition_));
    if (blocks == nullptr || !source_.db().Get({}, blocks, slice(key.bytes()), &bytes).ok())
      return std::nullopt;
    return bytes;
  }

  // Before the rows that stand by themselves: those count, but for a dead letter's that should be gone.
  StoreResult<void> copy_done_packs() {
    if (!is_there("done_packs")) return {};
    const auto name = [](const Key& key) {
      if (key.empty()) return std::string("their end");
      const auto at = read_pack_key(as_bytes(key), 0);
      return at ? "job " + at->first.to_string() : std::string("a key");
    };
    StoreResult<void> written;
    source_.for_each_readable(
        family_name("done_packs", partition_),
        [&](rocksdb::Slice key, rocksdb::Slice value) {
          const auto pack = unpack_done(view(value));
          if (!pack)
            return lose("packed finished jobs from " + name(key.ToString()) + " on: they cannot be read");
          for (size_t at = 0; written && at < pack->ids.size(); ++at)
            written = take("done", slice(keys::of(pack->ids[at])), slice(pack->rows[at]));
        },
        [&](const Key& before, const Key& behind) {
          lose("packed finished jobs: everything between " +
               (before.empty() ? "their beginning" : name(before)) + " and " + name(behind));
        });
    return written;
  }

  StoreResult<void> take(const std::string& family, rocksdb::Slice key, rocksdb::Slice value) {
    if (family == "live" || family == "done") {
      const auto row = decode_row(view(value));
      if (!row) {
        lose(name_of(family, key.ToString()) + ": its row cannot be read");
        return {};
      }
      if (family == "live") live_[row->core.no] = row->core;
      if (family == "done") {
        if (has_later_life(row->core)) return {};
        take_done(row->core);
      }
    }
    // The fold stops at a row of figures that it cannot go on with.
    if (family == "metrics" && !decode_metrics_row(view(value))) {
      lose("figures of a minute or an hour of one queue and type: their row cannot be read");
      return {};
    }
    batch_.Put(target(family), key, value);
    return batch_.GetDataSize() < kBatchBytes ? StoreResult<void>() : flush(false);
  }

  // Where what took a dead letter's row away is lost: it was redriven, and its next life is in a pack.
  bool has_later_life(const JobCore& core) {
    if (!is_dead_letter(core) || !flush(false)) return false;
    std::string there;
    if (!target_.db().Get({}, target("done"), slice(keys::of(core.id)), &there).ok()) return false;
    const auto later = decode_row_core(as_bytes(there));
    return later && later->no > core.no;
  }

  void take_done(const JobCore& core) {
    batch_.Put(target("done_index"), slice(write_done_key({DoneGroup::of(core), core.id})), rocksdb::Slice());
    if (is_dead_letter(core)) dead_[core.no] = core.queue;
  }
  static bool is_dead_letter(const JobCore& core) {
    return core.state == JobState::kFailed || core.state == JobState::kTimeout;
  }

  StoreResult<void> flush(bool sync) {
    rocksdb::WriteOptions options;
    options.sync = sync;
    const auto status = target_.db().Write(options, &batch_);
    batch_.Clear();
    if (!status.ok()) return failure("cannot write", status);
    return {};
  }

  // What the parts must agree on, so that a start finds them so.
  StoreResult<void> mend() {
    if (auto ok = read_checkpoint(); !ok) return ok;
    read_history();
    mend_live();
    if (auto ok = cut_journal(); !ok) return ok;
    mend_dead_letters();
    Bytes head;
    ByteWriter writer(head);
    writer.pod(covered_);
    writer.raw_bytes(tables_.encode());
    if (has_checkpoint_) batch_.Put(target("meta"), slice(kCheckpointKey), slice(head));
    return flush(false);
  }

  StoreResult<void> read_checkpoint() {
    std::string value;
    const auto status = target_.db().Get({}, target("meta"), slice(kCheckpointKey), &value);
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

  // Of the commits that the checkpoint covers. Nothing depends on them any more, but the rows must agree.
  void read_history() {
    const std::unique_ptr<rocksdb::Iterator> it(target_.db().NewIterator({}, target("journal")));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const uint64_t number = keys::number(view(it->key())).value_or(0);
      if (number > covered_) return;
      const auto entry = read_entry(view(it->value()));
      if (!entry || !is_next(number, entry->head)) {
        note_hole(number);
        whole_history_ = false;
        last_words_.miss_some();
      }
      if (entry) {
        alive_.take(*entry);
        last_words_.take(*entry, [this](JobNo job) { return live_.contains(job); });
      }
      last_commit_ = number;
      last_hash_ = entry_hash(view(it->value()));
    }
  }

  bool is_next(uint64_t number, const EntryHead& head) const {
    return number == last_commit_ + 1 && head.number == number && head.previous == last_hash_;
  }

  // A start replays what is behind the checkpoint: up to the first that is not there or not the next.
  StoreResult<void> cut_journal() {
    if (last_commit_ < covered_)
      return refusal("commit " + std::to_string(covered_) +
                     ", up to which the checkpoint covers, cannot be read; restore a backup");
    const std::unique_ptr<rocksdb::Iterator> it(target_.db().NewIterator({}, target("journal")));
    uint64_t cut_from = 0;  // 0 = it was not
    for (it->Seek(slice(keys::of(covered_ + 1))); it->Valid(); it->Next()) {
      const uint64_t number = keys::number(view(it->key())).value_or(0);
      const auto entry = read_entry(view(it->value()));
      if (cut_from == 0) {
        const std::string why = why_cut(number, entry ? &*entry : nullptr);
        if (why.empty()) {
          last_commit_ = number;
          last_hash_ = entry_hash(view(it->value()));
          continue;
        }
        lose("commit " + std::to_string(last_commit_ + 1) + " and all behind it: " + why);
        cut_from = number;
      }
      batch_.Delete(target("journal"), it->key());
    }
    drop_blocks(cut_from);
    return {};
  }

  // Why the journal ends before this commit behind the checkpoint; "" = it goes on.
  std::string why_cut(uint64_t number, const EntryView* entry) {
    if (entry == nullptr || !is_next(number, entry->head)) return "they do not follow on one another";
    if (!block_is_whole(number, entry->head.block_bytes)) return "its block is missing or cut short";
    if (needs_any(*entry, rowless_)) return "it goes on with a job whose row cannot be read";
    return {};
  }

  void note_hole(uint64_t number) {
    const uint64_t last = last_commit_;
    if (number == last + 1)
      lose("history: commit " + std::to_string(number) + " is not the one that followed");
    else
      lose("history: the commits " + std::to_string(last + 1) + " to " + std::to_string(number - 1) +
           ", which nothing depends on any more");
  }

  bool block_is_whole(uint64_t number, uint64_t bytes) {
    const std::unique_ptr<rocksdb::Iterator> it(target_.db().NewIterator({}, target("blocks")));
    uint64_t there = 0;
    for (it->Seek(slice(keys::of(number))); there < bytes && it->Valid(); it->Next()) {
      const auto piece = BlockPieceKey::read(view(it->key()));
      if (!piece || piece->commit != number || piece->offset != there) break;
      there += it->value().size();
    }
    return there == bytes;
  }

  // Of commits that the checkpoint covers, because all rows are whole now, and of those that are cut off.
  void drop_blocks(uint64_t cut_from) {
    const std::unique_ptr<rocksdb::Iterator> it(target_.db().NewIterator({}, target("blocks")));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const auto piece = BlockPieceKey::read(view(it->key()));
      if (!piece || piece->commit <= covered_ || (cut_from != 0 && piece->commit >= cut_from))
        batch_.Delete(target("blocks"), it->key());
    }
  }

  void mend_live() {
    if (whole_history_) {
      rowless_ = alive_.numbers();
      for (const auto& [job, row] : live_) rowless_.erase(job);
      for (const JobNo job : rowless_)
        lose("job " + std::to_string(job) + " lived, and its row cannot be read");
    }
    drop_rows([this](const JobCore& row) { return why_stale(row); });
    std::map<JobId, JobNo> latest;
    for (const auto& [job, row] : live_) latest[row.id] = std::max(latest[row.id], job);
    drop_rows([&latest](const JobCore& row) { return row.no == latest.at(row.id) ? "" : kHasEnded; });
  }

  // Those for which `why` has words.
  template <class Why>
  void drop_rows(Why&& why) {
    std::erase_if(live_, [&](const auto& live) {
      const auto& [job, row] = live;
      const std::string words = why(row);
      if (words.empty()) return false;
      lose("job " + std::to_string(job) + words);
      rowless_.insert(job);
      batch_.Delete(target("live"), slice(keys::of(job)));
      return true;
    });
  }

  // Why a row is not what the checkpoint left; "" = the journal does not speak against it.
  const char* why_stale(const JobCore& row) const {
    if (last_words_.ended(row.no) || (whole_history_ && !alive_.numbers().contains(row.no))) return kHasEnded;
    if (last_words_.contradict(row)) return " has gone on, and its row is of another time";
    return "";
  }

  void mend_dead_letters() {
    std::map<QueueNo, uint64_t> counted;
    const std::unique_ptr<rocksdb::Iterator> it(target_.db().NewIterator({}, target("dead_letters")));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const auto found = dead_.find(keys::number(view(it->key())).value_or(0));
      if (found != dead_.end()) {
        ++counted[found->second];
        continue;
      }
      lose("dead letter " + name_of("dead_letters", it->key().ToString()));
      batch_.Delete(target("dead_letters"), it->key());
    }
    for (QueueNo queue = 0; queue < tables_.queue_count(); ++queue)
      while (tables_.queue(queue).dead_letters != counted[queue])
        tables_.count_dead_letter(queue, tables_.queue(queue).dead_letters < counted[queue] ? +1 : -1);
  }

  const RawDatabase& source_;
  const RawDatabase& target_;
  const PartitionNo partition_;
  std::vector<std::string>& lost_;
  rocksdb::WriteBatch batch_;
  uint64_t last_commit_ = 0;  // of those that were read and stay
  ChainHash last_hash_{};
  bool has_checkpoint_ = false;
  uint64_t covered_ = 0;
  Tables tables_;
  LiveNumbers alive_;  // up to the checkpoint
  LastWords last_words_;
  bool whole_history_ = true;
  std::map<JobNo, JobCore> live_;
  std::unordered_set<JobNo> rowless_;  // those that are known to have lived when the checkpoint was taken
  std::map<JobNo, QueueNo> dead_;
};

}  // namespace

StoreResult<uint64_t> salvage_partition(const RawDatabase& source, const RawDatabase& target,
                                        PartitionNo partition, std::vector<std::string>& lost) {
  return PartitionSalvage(source, target, partition, lost).run();
}

}  // namespace pqd
