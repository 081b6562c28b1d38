// What was freed goes back to the system, once nothing comes any more.
#include "daemon/engine/freed_memory.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "daemon/engine/committer.h"
#include "tests/daemon/engine/fixtures.h"
#include "tests/support/eventually.h"
#include "tests/support/sanitized.h"

namespace pqd::test {
namespace {

constexpr size_t kFloodBytes = 64u << 20;

// Of this process.
uint64_t memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib << 10;
  }
  return 0;
}

// Memory that is freed below some that is not, as what a flood of commits leaves.
std::unique_ptr<char[]> freed_below() {
  std::vector<std::unique_ptr<char[]>> flood;
  for (size_t i = 0; i < kFloodBytes / 1'024; ++i) {
    flood.push_back(std::make_unique<char[]>(1'000));
  }
  return std::make_unique<char[]>(1'000);
}

TEST(FreedMemory, IsGivenBackWhenSoMuchWasCommittedThatItIsWorthIt) {
  FreedMemory freed(0);
  EXPECT_FALSE(freed.patience());
  freed.committed(FreedMemory::kWorthBytes - 1);
  EXPECT_FALSE(freed.patience());
  freed.committed(1);
  EXPECT_EQ(freed.patience(), FreedMemory::kQuiet);
  freed.give_back();
  EXPECT_FALSE(freed.patience()) << "not again before more was committed";
}

TEST(FreedMemory, GoesBackToTheSystem) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's allocator keeps to itself";
  const auto above = freed_below();
  const uint64_t before = memory_bytes();
  FreedMemory().give_back();
  EXPECT_LT(memory_bytes() + kFloodBytes / 2, before);
}

// After a start at first, which reads what may be freed again.
TEST(FreedMemory, IsGivenBackByTheCommitterThatHasNothingToDo) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's allocator keeps to itself";
  TempDir directory;
  const auto store = Store::open({.directory = directory.path()}).value();
  auto witness = Witness::open(directory.path()).value();
  Checkpointer checkpointer(*store, witness, RowFold(*store, Tables(), 0), {},
                            {.covered = [](uint64_t) {}, .failed = [](const StoreError&) {}});
  const auto above = freed_below();
  const uint64_t before = memory_bytes();
  Committer committer(*store, checkpointer, 0, {}, [] {});
  EXPECT_TRUE(eventually([before] { return memory_bytes() + kFloodBytes / 2 < before; }));
}

}  // namespace
}  // namespace pqd::test
