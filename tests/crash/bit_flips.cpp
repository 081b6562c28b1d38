#include "tests/crash/bit_flips.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "daemon/store/salvage.h"
#include "tests/crash/image_directory.h"

namespace pqd::test {
namespace {

// What a file of a store is called, whatever its number.
std::string kind_of(const std::filesystem::path& file) {
  const std::string name = file.filename();
  if (name.ends_with(".sst")) return "table";
  if (name.ends_with(".log")) return "log";
  const std::string word = name.substr(0, name.find('-'));
  // RocksDB's talk, its options as text, its mark against a second copy: nothing is read from them.
  return word.starts_with("LOG") || word == "OPTIONS" || word == "IDENTITY" || word == "LOCK" ? "talk" : word;
}

bool names(const StoreReport& report, const std::string& file) {
  const auto has = [&](const std::string& text) {
    // CURRENT says which MANIFEST it is: when it is wrong, that one is missed.
    return text.find(file) != std::string::npos ||
           (file == "CURRENT" && text.find("MANIFEST") != std::string::npos);
  };
  return std::ranges::any_of(report.faults, has, &StoreFault::text) ||
         std::ranges::any_of(report.remarks, has);
}

class Flipper {
 public:
  explicit Flipper(const BitFlipPlan& plan) : plan_(plan), random_(plan.life.seed) {}

  BitFlipReport run() {
    LifePlan plan = plan_.life;
    plan.last_word = plan_.witnessed;
    life_ = record_life(plan);
    if (life_->end) {
      report_.first_failure = "the store does not work at all: " + life_->end->text;
      return report_;
    }
    std::map<std::string, std::vector<std::string>> files;
    const std::filesystem::path root = life_->directory;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      if (entry.is_regular_file() && entry.file_size() > 0 && entry.path().filename() != "lock")
        files[kind_of(entry.path())].push_back(std::filesystem::relative(entry.path(), root));
    uint64_t place = plan_.life.seed;  // so that what is left over goes to other kinds in other lives
    for (auto& [kind, names] : files) std::ranges::sort(names);
    for (const auto& [kind, names] : files) {
      const uint64_t more = place++ % files.size() < plan_.flips % files.size() ? 1 : 0;
      for (uint64_t i = 0; i < plan_.flips / files.size() + more; ++i) flip(kind, names);
    }
    return report_;
  }

 private:
  void flip(const std::string& kind, const std::vector<std::string>& names) {
    const ImageDirectory image;
    std::filesystem::copy(
        life_->directory, image.path(),
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    const std::string& name = names[random_() % names.size()];
    std::string bytes = read_file(image.path() + "/" + name);
    const size_t at = random_() % bytes.size();
    const unsigned bit = random_() % 8;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    write_file(image.path() + "/" + name, bytes);
    judge(kind, image.path(), std::filesystem::path(name).filename(),
          name + ", bit " + std::to_string(bit) + " of byte " + std::to_string(at));
  }

  void judge(const std::string& kind, const std::string& directory, const std::string& file,
             const std::string& where) {
    BitFlipReport::Kind& counts = report_.kinds[kind];
    ++counts.flips;
    // The check reads only, so it goes first.
    const StoreReport checked = check_store(directory);
    const bool found = !checked.faults.empty() || !checked.remarks.empty();
    counts.found += found ? 1 : 0;
    const std::string fault = fault_of_image(directory, *life_, SIZE_MAX);
    if (fault.empty()) {
      ++counts.harmless;
    } else if (is_refusal(fault)) {
      ++counts.refused;
      salvage(counts, directory, where);
      if (!names(checked, file)) {
        ++counts.unnamed;
        tell(where, "refused, and the check does not name the file: " + fault);
      }
    } else {
      ++counts.served;
      tell(where, fault);
    }
  }

  void salvage(BitFlipReport::Kind& counts, const std::string& directory, const std::string& where) {
    const TempDir elsewhere;
    const auto saved = salvage_store(directory, elsewhere.path("store"));
    if (!saved) return;  // for a backup, and says so
    ++(saved->lost.empty() ? counts.whole : counts.salvaged);
    for (const StoreFault& fault : saved->after.faults) {
      // The history may have holes, and then tell of jobs whose end it has not.
      if (fault.part == "journal" || fault.text.ends_with("lives by the journal, and has no row")) continue;
      if (fault.part == "live" && fault.text == "and more") continue;  // of a whole pack
      ++counts.wrecked;
      return tell(where, "salvaged, and " + fault.part + ": " + fault.text);
    }
    if (saved->after.starts) return;
    ++counts.wrecked;
    tell(where, "salvaged, and does not start");
  }

  void tell(const std::string& where, const std::string& what) {
    if (report_.first_failure.empty())
      report_.first_failure = "seed " + std::to_string(plan_.life.seed) + ", " + where + ": " + what;
  }

  const BitFlipPlan& plan_;
  std::mt19937_64 random_;
  std::unique_ptr<RecordedLife> life_;
  BitFlipReport report_;
};

}  // namespace

BitFlipReport::Kind BitFlipReport::total() const {
  Kind all;
  for (const auto& [name, kind] : kinds) {
    all.flips += kind.flips, all.refused += kind.refused, all.harmless += kind.harmless;
    all.found += kind.found, all.served += kind.served, all.unnamed += kind.unnamed;
    all.whole += kind.whole, all.salvaged += kind.salvaged, all.wrecked += kind.wrecked;
  }
  return all;
}

BitFlipReport flip_bits(const BitFlipPlan& plan) { return Flipper(plan).run(); }

}  // namespace pqd::test
