#include "tests/crash/power_cuts.h"

#include "daemon/store/salvage.h"
#include "tests/crash/disk_model.h"
#include "tests/crash/image_directory.h"

namespace pqd::test {
namespace {

class Cutter {
 public:
  explicit Cutter(const PowerCutPlan& plan) : plan_(plan), random_(plan.life.seed) {}

  PowerCutReport run() {
    const auto life = record_life(plan_.life);
    report_.commits_told = life->told_by(SIZE_MAX);
    if (life->end) {
      ++report_.failed;
      report_.first_failure = "the store does not work at all: " + life->end->text;
      return report_;
    }
    DiskModel disk;
    const auto& ops = life->log.ops();
    for (size_t done = 0; done <= ops.size(); ++done) {
      if (done > 0) disk.apply(ops[done - 1]);
      if (done > 0 && ops[done - 1].kind == DiskOp::Kind::kCreate && ops[done - 1].name.ends_with(".sst"))
        ++report_.tables_written;
      if (plan_.points != 0 && random_() % (ops.size() + 1) >= plan_.points) continue;
      ++report_.points;
      cut(*life, disk, done);
    }
    return report_;
  }

 private:
  void cut(const RecordedLife& life, const DiskModel& disk, size_t done) {
    image(life, disk, done, Cut::kNothing, "nothing unsynced is left");
    if (!disk.any_unsynced()) return;
    image(life, disk, done, Cut::kEverything, "everything is left");
    for (uint64_t i = 0; i < plan_.images; ++i)
      image(life, disk, done, Cut::kRandom, "random image " + std::to_string(i));
  }

  void image(const RecordedLife& life, const DiskModel& disk, size_t done, Cut cut, const std::string& name) {
    const ImageDirectory directory;
    disk.write_image(directory.path(), cut, random_);
    ++report_.images;
    const std::string fault = fault_of_image(directory.path(), life, done);
    if (fault.empty()) return;
    // RocksDB opens no store whose MANIFEST ends in a torn record, and cannot tell it from one that rotted.
    // It takes a file system that lets a file grow over bytes that were not written.
    const bool torn = cut == Cut::kRandom && fault.starts_with("does not open") &&
                      fault.find("MANIFEST") != std::string::npos;
    const std::string unsaved = torn ? fault_of_salvaged(directory.path(), life, done) : fault;
    if (torn) ++report_.refused;
    if (unsaved.empty()) return;
    if (report_.failed++ == 0)
      report_.first_failure = "seed " + std::to_string(plan_.life.seed) + ", power cut after change " +
                              std::to_string(done) + " of the disk, " + name + ": " + unsaved;
  }

  // What is wrong with what `pqctl store salvage` makes of it, "" = nothing at all.
  static std::string fault_of_salvaged(const std::string& directory, const RecordedLife& life, size_t done) {
    const TempDir elsewhere;
    const auto saved = salvage_store(directory, elsewhere.path("store"));
    if (!saved) return "is not salvaged: " + saved.error().text;
    if (!saved->lost.empty()) return "is salvaged, but for " + saved->lost.front();
    return fault_of_image(elsewhere.path("store"), life, done);
  }

  const PowerCutPlan& plan_;
  std::mt19937_64 random_;
  PowerCutReport report_;
};

}  // namespace

PowerCutReport cut_power_everywhere(const PowerCutPlan& plan) { return Cutter(plan).run(); }

}  // namespace pqd::test
