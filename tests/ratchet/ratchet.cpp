// Counts the instructions of the hot pieces and holds them against counts.txt:
//
//   ratchet FILE           exit 0: as written; 1: not, and each difference is said; 77: FILE is of another
//   compiler ratchet --write FILE   counts anew ratchet --list         names the pieces
//
// It runs itself under valgrind for that, with --pieces.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/ratchet/counting.h"
#include "tests/ratchet/piece.h"

namespace pqd::ratchet {
namespace {

constexpr int kDiffers = 1;
constexpr int kUsage = 64;
constexpr int kUnavailable = 69;
constexpr int kOtherCompiler = 77;

// The first rounds fill tables, caches and the allocator's lists.
constexpr int kRoundsBefore = 2;
constexpr int kRounds = 2;

class NoMeter final : public Meter {
 public:
  void begin() override {}
  void end(uint64_t /*things*/) override {}
};

class CallgrindMeter final : public Meter {
 public:
  void begin() override { CALLGRIND_TOGGLE_COLLECT; }
  void end(uint64_t things) override {
    CALLGRIND_TOGGLE_COLLECT;
    things_ += things;
  }
  uint64_t things() const { return things_; }

 private:
  uint64_t things_ = 0;
};

int run_pieces() {
  for (const PieceKind& kind : all_pieces()) {
    const auto piece = kind.make();
    NoMeter nothing;
    for (int i = 0; i < kRoundsBefore; ++i) piece->round(nothing);
    CALLGRIND_ZERO_STATS;
    CallgrindMeter meter;
    for (int i = 0; i < kRounds; ++i) piece->round(meter);
    const std::string request = std::string(kind.name) + " " + std::to_string(meter.things());
    CALLGRIND_DUMP_STATS_AT(request.c_str());
  }
  return 0;
}

int list() {
  for (const PieceKind& kind : all_pieces())
    std::printf("%-16s %-7s %s\n", kind.name.data(), kind.thing.data(), kind.what.data());
  return 0;
}

int complain(int exit, const std::string& text) {
  std::fprintf(stderr, "ratchet: %s\n", text.c_str());
  return exit;
}

int compare(const std::string& path, const Counts& found) {
  std::ifstream file(path);
  const auto written = parse_counts({std::istreambuf_iterator<char>(file), {}});
  if (!written) return complain(kDiffers, path + ": " + written.error());
  const std::vector<std::string> faults = differences(*written, found);
  for (const std::string& fault : faults) complain(kDiffers, fault);
  if (faults.empty()) {
    std::printf("ratchet: %zu pieces as written\n", found.pieces.size());
    return 0;
  }
  return complain(kDiffers, "is that as it should be? Then keep it: tests/run ratchet --write");
}

// Before anything is counted, which takes some seconds.
bool comparable(const std::string& path) {
  std::ifstream file(path);
  const auto written = parse_counts({std::istreambuf_iterator<char>(file), {}});
  return !written || written->tools.compiler.empty() || written->tools.compiler == tools_here().compiler;
}

int main_of(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--pieces") return run_pieces();
  if (first == "--list") return list();
  const bool write = first == "--write";
  if (argc != (write ? 3 : 2) || first.empty())
    return complain(kUsage, "usage: ratchet [--write] FILE | --list");
  const std::string path = argv[argc - 1];
  if (!write && !comparable(path))
    return complain(kOtherCompiler, path + " is of another compiler than this: " + tools_here().compiler);
  auto counts = count_pieces(std::filesystem::read_symlink("/proc/self/exe").string());
  if (!counts) return complain(kUnavailable, counts.error());
  const Counts found{tools_here(), std::move(*counts)};
  if (!write) return compare(path, found);
  std::ofstream file(path);
  file << text_of(found);
  return file.flush() ? 0 : complain(kUnavailable, path + " cannot be written");
}

}  // namespace
}  // namespace pqd::ratchet

int main(int argc, char** argv) { return pqd::ratchet::main_of(argc, argv); }
