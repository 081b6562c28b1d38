// Holds the tree against its own rules, and the rules against planted faults.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/layers/contract_tables.h"
#include "tests/layers/include_rules.h"
#include "tests/layers/machine_paths.h"

namespace pqd::layers {
namespace {

namespace fs = std::filesystem;

std::string listed(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) text += to_string(fault) + "\n";
  return text;
}

// A tree of one file, and what the rules say to it.
SourceFile file_with(const std::string& path, std::vector<std::string> lines) {
  return {path, fs::path(path).parent_path().string(), std::move(lines)};
}
std::string include_faults(const std::string& path, const std::string& line) {
  return listed(check_includes({file_with(path, {"// first line", line})}));
}

class TheTree : public testing::Test {
 protected:
  static const std::vector<SourceFile>& files() {
    static const std::vector<SourceFile> all = read_tree(PQD_SOURCE_DIR);
    return all;
  }
};

TEST_F(TheTree, IncludesDownwardsOnly) { EXPECT_EQ(listed(check_includes(files())), ""); }

TEST_F(TheTree, HasADesignPageInEveryFolderOfSources) { EXPECT_EQ(listed(check_readmes(files())), ""); }

TEST_F(TheTree, NamesNoMachinesPaths) { EXPECT_EQ(listed(check_machine_paths(files())), ""); }

TEST_F(TheTree, HasTheTestsThatTheContractsTablesName) {
  EXPECT_EQ(listed(check_contract_tables(files())), "");
}

TEST_F(TheTree, IsReadWhole) {
  const auto sources = std::ranges::count_if(
      files(), [](const SourceFile& file) { return file.is_cpp() && !file.lines.empty(); });
  EXPECT_GT(sources, 100);
}

// What is said to a page with this row, in a tree with the test Queue.IsFull.
std::string table_faults(const std::string& row) {
  return listed(
      check_contract_tables({file_with("core/README.md", {"| contract | tests |", "|---|---|", row}),
                             file_with("tests/core/queue_test.cpp", {"TEST_F(Queue, IsFull) {"}),
                             file_with("core/queue.cpp", {"TEST_F(Queue, IsNoTest) {"})}));
}

TEST(ContractTables, FindANameThatNoTestHas) {
  EXPECT_EQ(table_faults("| `max` | `Queue.IsFull`, `Queue.IsFul` |"),
            "core/README.md:3: there is no test Queue.IsFul\n");
  EXPECT_EQ(table_faults("| max | `Queues` |"), "core/README.md:3: there is no test Queues\n");
  EXPECT_EQ(table_faults("| max | `Queue.IsNoTest` |"),
            "core/README.md:3: there is no test Queue.IsNoTest\n");
}

TEST(ContractTables, FindARowWithoutATest) {
  EXPECT_EQ(table_faults("| max | by hand |"), "core/README.md:3: names no test\n");
  EXPECT_EQ(table_faults("| max |"), "core/README.md:3: is no row of two cells\n");
  EXPECT_EQ(listed(check_contract_tables({file_with("core/README.md", {"no table"})})),
            "core/README.md: has no table of the contract's rows\n");
}

TEST(ContractTables, LetSuitesTestsAndWhatIsNotThereStand) {
  EXPECT_EQ(table_faults("| max | `Queue`, `Queue.IsFull`; and no more |"), "");
  EXPECT_EQ(table_faults("| max | not there |"), "");
}

TEST(IncludeRules, FindAnIncludeThatPointsUpwards) {
  EXPECT_EQ(include_faults("core/job.h", "#include \"shm/ring.h\""),
            "core/job.h:2: core may not include shm/ring.h\n");
  EXPECT_EQ(include_faults("shm/ring.h", "#include \"daemon/loop/event_loop.h\""),
            "shm/ring.h:2: shm may not include daemon/loop/event_loop.h\n");
  EXPECT_EQ(include_faults("bindings/cpp/client.cpp", "  #  include \"daemon/config/config.h\""),
            "bindings/cpp/client.cpp:2: bindings may not include daemon/config/config.h\n");
  EXPECT_EQ(include_faults("daemon/store/store.cpp", "#include \"bindings/cpp/client.h\""),
            "daemon/store/store.cpp:2: daemon may not include bindings/cpp/client.h\n");
  EXPECT_EQ(include_faults("tools/pqctl/main.cpp", "#include <tests/shm/fixtures.h>"),
            "tools/pqctl/main.cpp:2: tools may not include tests/shm/fixtures.h\n");
}

TEST(IncludeRules, LetIncludesPointDownwards) {
  EXPECT_EQ(include_faults("shm/ring.h", "#include \"core/bytes.h\""), "");
  EXPECT_EQ(include_faults("daemon/engine/drain.h", "#include \"daemon/loop/event_loop.h\""), "");
  EXPECT_EQ(include_faults("tools/pqctl/main.cpp", "#include \"bindings/cpp/client.h\""), "");
  EXPECT_EQ(include_faults("tests/core/job_test.cpp", "#include \"core/job.h\""), "");
}

TEST(IncludeRules, FindALibraryOutsideItsRoom) {
  EXPECT_EQ(include_faults("daemon/engine/engine.cpp", "#include <liburing.h>"),
            "daemon/engine/engine.cpp:2: <liburing.h> belongs to daemon/loop alone\n");
  EXPECT_NE(include_faults("daemon/storefront/a.cpp", "#include <rocksdb/db.h>"), "");
  EXPECT_NE(include_faults("bindings/cpp/dial.cpp", "#include <boost/interprocess/mapped_region.hpp>"), "");
  EXPECT_NE(include_faults("tools/pqctl/config.cpp", "#include <toml++/toml.h>"), "");
  EXPECT_EQ(include_faults("daemon/store/store.cpp", "#include <rocksdb/db.h>"), "");
  EXPECT_EQ(include_faults("daemon/loop/uring_ring.h", "#include <liburing.h>"), "");
}

TEST(IncludeRules, KeepTheSystemOutOfCore) {
  for (const char* header : {"unistd.h", "sys/socket.h", "chrono", "thread", "rocksdb/db.h", "liburing.h",
                             "mutex", "fstream", "linux/futex.h"}) {
    EXPECT_NE(include_faults("core/broker.cpp", "#include <" + std::string(header) + ">"), "") << header;
    EXPECT_NE(include_faults("core/part/broker.cpp", "#include <" + std::string(header) + ">"), "") << header;
  }
  EXPECT_EQ(include_faults("core/broker.cpp", "#include <vector>"), "");
  EXPECT_EQ(include_faults("shm/doorbell.cpp", "#include <unistd.h>"), "");
}

TEST(IncludeRules, FindAnIncludeThatNamesNoFolder) {
  EXPECT_EQ(include_faults("core/job.cpp", "#include \"job.h\""),
            "core/job.cpp:2: \"job.h\" does not begin with a folder of the project\n");
}

TEST(IncludeRules, ReadNoIncludeWhereThereIsNone) {
  EXPECT_EQ(include_faults("core/job.cpp", "// #include \"shm/ring.h\""), "");
  EXPECT_EQ(include_faults("core/job.cpp", "#define INCLUDE \"shm/ring.h\""), "");
}

TEST(ReadmeRule, FindsAFolderOfSourcesWithoutOne) {
  const SourceFile source = file_with("daemon/new/thing.cpp", {});
  EXPECT_EQ(listed(check_readmes({source})), "daemon/new: has sources but no README.md\n");
  EXPECT_EQ(listed(check_readmes({source, file_with("daemon/new/README.md", {})})), "");
  EXPECT_EQ(listed(check_readmes({file_with("tests/new/thing_test.cpp", {})})), "");
}

TEST(MachinePaths, AreFoundWhereverAPathBegins) {
  for (const char* root : {"/home", "/root", "/work"}) {
    const std::string path = std::string(root) + "/someone/pqd";
    for (const std::string& line :
         {path, "cd " + path, "\"" + path + "\"", "`" + path + "`", "DIR=" + path}) {
      EXPECT_EQ(check_machine_paths({file_with("README.md", {line})}).size(), 1u) << line;
    }
    EXPECT_EQ(check_machine_paths({file_with("README.md", {"a tree's" + std::string(root)})}).size(), 0u);
    EXPECT_EQ(check_machine_paths({file_with("README.md", {"tests" + path})}).size(), 0u);
  }
}

// The rules are of no use if the files are not found: plant one and read it from a disk.
TEST(SourceTree, FindsPlantedFilesAndPassesOverWhatIsBuilt) {
  std::string root = testing::TempDir() + "pqd-layers-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const auto write = [&root](const std::string& path, const std::string& text) {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
  };
  write("core/a.h", "#pragma once\n#include \"daemon/store/store.h\"\n");
  write("core/sub/b.cpp", "#include <unistd.h>\n");
  write("build/dev/core/c.h", "#include \"daemon/store/store.h\"\n");
  write(".git/core/d.h", "#include \"daemon/store/store.h\"\n");
  write("core/e.h", std::string("a") + char{} + "b\n#include \"daemon/store/store.h\"\n");
  const std::vector<SourceFile> files = read_tree(root);
  fs::remove_all(root);
  EXPECT_EQ(listed(check_includes(files)),
            "core/a.h:2: core may not include daemon/store/store.h\n"
            "core/sub/b.cpp:1: core has no system calls, clock, threads or I/O, but includes <unistd.h>\n");
}

}  // namespace
}  // namespace pqd::layers
