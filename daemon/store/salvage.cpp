#include "daemon/store/salvage.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "daemon/store/directory_lock.h"
#include "daemon/store/format_file.h"
#include "daemon/store/log_files.h"
#include "daemon/store/partition_salvage.h"
#include "daemon/store/raw_database.h"
#include "daemon/store/recovery.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/store.h"
#include "daemon/store/table_files.h"

namespace pqd {
namespace {

std::unexpected<StoreError> refusal(std::string text, Error code = Error::kSystemError) {
  return std::unexpected(StoreError{code, std::move(text), true});
}

class Salvage {
 public:
  Salvage(const std::string& from, const std::string& to) : from_(from), to_(to) {}

  StoreResult<SalvageReport> run() {
    const auto format = check_format(from_, false);
    if (!format) return std::unexpected(format.error());
    partitions_ = *format;
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
  void lose(std::string what) { report_.lost.push_back(std::move(what)); }

  StoreResult<void> put_together() {
    if (auto ok = check_format(to_, true, partitions_); !ok) return std::unexpected(ok.error());
    {
      auto source = open_source();
      if (!source) return std::unexpected(source.error());
      auto target = RawDatabase::open(to_ + "/db", RawDatabase::Mode::kWrite, partitions_);
      if (!target) return std::unexpected(target.error());
      for (uint32_t i = 0; i < partitions_; ++i)
        if (auto ok = put_partition(*source, *target, static_cast<PartitionNo>(i)); !ok) return ok;
    }
    std::error_code error;
    std::filesystem::remove_all(repair_path(), error);
    return conclude();
  }

  StoreResult<void> put_partition(const RawDatabase& source, const RawDatabase& target,
                                  PartitionNo partition) {
    std::vector<std::string> lost;
    const auto last = salvage_partition(source, target, partition, lost);
    for (const std::string& what : lost) lose(name_of(partition) + what);
    if (!last)
      return std::unexpected(StoreError{last.error().code, name_of(partition) + last.error().text, true});
    return {};
  }

  // Where there are several.
  std::string name_of(PartitionNo partition) const {
    return partitions_ > 1 ? "partition " + std::to_string(partition) + ": " : std::string();
  }

  std::string repair_path() const { return to_ + "/repair"; }

  StoreResult<RawDatabase> open_source() {
    for (const TableFile& table : table_files(from_ + "/db"))
      if (const std::string fault = fault_of_table(table.path); !fault.empty()) lose("of a table: " + fault);
    auto source = RawDatabase::open(from_ + "/db", RawDatabase::Mode::kRead, partitions_);
    if (source) return source;
    report_.files_listed_anew = true;
    if (auto ok = copy_tables(); !ok) return std::unexpected(ok.error());
    if (auto ok = RawDatabase::list_anew(repair_path(), partitions_); !ok) return std::unexpected(ok.error());
    auto anew = RawDatabase::open(repair_path(), RawDatabase::Mode::kWrite, partitions_);
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

  // A start like any other, and its witness.
  StoreResult<void> conclude() {
    {
      const auto database = Database::open({.directory = to_});
      if (!database) return std::unexpected(database.error());
      for (uint32_t i = 0; i < partitions_; ++i)
        if (auto ok = conclude_partition(*database, static_cast<PartitionNo>(i)); !ok) return ok;
    }
    report_.after = check_store(to_);
    return {};
  }

  StoreResult<void> conclude_partition(const std::shared_ptr<Database>& database, PartitionNo partition) {
    auto store = Store::open(database, partition);
    if (!store) return std::unexpected(store.error());
    State state;
    const auto recovered =
        recover(**store, std::nullopt, state, [](uint64_t, ByteView, ByteView) { return true; });
    if (!recovered) return std::unexpected(recovered.error());
    if (auto ok = (*store)->go_on_after(recovered->last_commit); !ok) return ok;
    if (auto ok = (*store)->sync(recovered->last_commit); !ok) return ok;
    auto witness = Witness::open(to_, partition);
    if (!witness) return std::unexpected(witness.error());
    if (recovered->last_commit > 0)
      if (auto ok = witness->record({recovered->last_commit, recovered->last_hash}); !ok) return ok;
    report_.last_commit += recovered->last_commit;
    note_witnessed(partition, recovered->last_commit);
    return {};
  }

  void note_witnessed(PartitionNo partition, uint64_t last) {
    const auto told = Witness::read(from_, partition);
    if (told && *told && (*told)->commit > last)
      lose(name_of(partition) + "the commits " + std::to_string(last + 1) + " to " +
           std::to_string((*told)->commit) + " at least, which were acknowledged");
  }

  const std::string& from_;
  const std::string& to_;
  uint32_t partitions_ = 1;
  SalvageReport report_;
};

}  // namespace

StoreResult<SalvageReport> salvage_store(const std::string& from, const std::string& to) {
  return Salvage(from, to).run();
}

}  // namespace pqd
