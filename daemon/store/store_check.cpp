#include "daemon/store/store_check.h"

#include <algorithm>

#include "daemon/store/directory_lock.h"
#include "daemon/store/format_file.h"
#include "daemon/store/log_files.h"
#include "daemon/store/partition_check.h"
#include "daemon/store/store.h"
#include "daemon/store/table_files.h"

namespace pqd {
namespace {

// An open beside the owner may meet a moment in which it removes a file.
constexpr int kOpensMax = 5;

class Check {
 public:
  Check(const std::string& directory, StoreReport& report) : directory_(directory), report_(report) {}

  void run() {
    const auto format = check_format(directory_, false);
    if (!format) return fault("format", format.error().text);
    report_.partitions = *format;
    const auto lock = lock_directory(directory_);
    report_.in_use = !lock && lock.error().code == Error::kUnavailable;
    // Before the rest: what they say must be there by then.
    std::vector<std::optional<Testimony>> testimonies;
    for (uint32_t i = 0; i < report_.partitions; ++i) {
      const auto testimony = Witness::read(directory_, static_cast<PartitionNo>(i));
      if (!testimony) fault("witness", testimony.error().text);
      testimonies.push_back(testimony.value_or(std::nullopt));
    }
    check_tables();
    check_logs();
    if (!open()) return;
    report_.starts = true;
    for (uint32_t i = 0; i < report_.partitions; ++i)
      check_partition(static_cast<PartitionNo>(i), testimonies[i]);
  }

 private:
  void fault(std::string_view part, std::string text) { add_fault(report_, part, std::move(text)); }

  void check_tables() {
    for (const TableFile& table : table_files(directory_ + "/db")) {
      ++report_.files;
      report_.bytes += table.bytes;
      if (const std::string wrong = fault_of_table(table.path); !wrong.empty()) fault("table", wrong);
    }
  }

  // Whoever writes to them is in the middle of it.
  void check_logs() {
    if (report_.in_use) return;
    for (const LogFile& log : log_files(directory_ + "/db")) check_log("log", log.path, log.last);
    for (const std::string& manifest : manifests(directory_ + "/db")) check_log("database", manifest, false);
  }

  void check_log(std::string_view part, const std::string& path, bool may_end_early) {
    const LogLook look = look_at_log(path);
    const std::string at =
        path + ": what stands at byte " + std::to_string(look.damage.at) + " is no whole record";
    if (!look.readable)
      fault(part, path + ": cannot be read");
    else if (look.damaged && !look.damage.whole_ones_follow && may_end_early)
      // If it is more than the end of what was told to nobody, the witness knows.
      report_.remarks.push_back(at + ", nothing whole follows it: so a log ends after a crash");
    else if (look.damaged)
      fault(part, at + (look.damage.whole_ones_follow ? ", and whole ones follow it" : ""));
  }

  bool open() {
    for (int i = 0; i < kOpensMax; ++i) {
      auto database = Database::open({.directory = directory_, .read_only = true});
      if (database) database_ = std::move(*database);
      if (database || !report_.in_use || i + 1 == kOpensMax) {
        if (!database) fault("database", database.error().text);
        break;
      }
    }
    return database_ != nullptr;
  }

  void check_partition(PartitionNo partition, const std::optional<Testimony>& testimony) {
    StoreReport report;
    const auto store = Store::open(database_, partition);
    if (store)
      pqd::check_partition(**store, testimony, report);
    else
      add_fault(report, "database", store.error().text);
    add(report, report_.partitions > 1 ? "partition " + std::to_string(partition) + ": " : std::string());
  }

  void add(const StoreReport& partition, const std::string& name) {
    for (const StoreFault& found : partition.faults)
      report_.faults.push_back({found.part, name + found.text});
    for (const std::string& remark : partition.remarks) report_.remarks.push_back(name + remark);
    report_.commits += partition.commits;
    report_.last_commit += partition.last_commit;
    report_.covered += partition.covered;
    report_.live_jobs += partition.live_jobs;
    report_.finished_jobs += partition.finished_jobs;
    report_.dead_letters += partition.dead_letters;
    report_.keys += partition.keys;
    report_.figures += partition.figures;
    report_.starts &= partition.starts;
  }

  const std::string& directory_;
  StoreReport& report_;
  std::shared_ptr<Database> database_;
};

}  // namespace

void add_fault(StoreReport& report, std::string_view part, std::string text) {
  const auto same = [&](const StoreFault& known) { return known.part == part; };
  const auto known = static_cast<size_t>(std::ranges::count_if(report.faults, same));
  if (known + 1 < StoreReport::kFaultsMax) report.faults.push_back({std::string(part), std::move(text)});
  if (known + 1 == StoreReport::kFaultsMax) report.faults.push_back({std::string(part), "and more"});
}

StoreReport check_store(const std::string& directory) {
  StoreReport report;
  Check(directory, report).run();
  return report;
}

}  // namespace pqd
