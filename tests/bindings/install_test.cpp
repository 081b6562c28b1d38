// The library as others get it: what it exports, its name, and a prefix that a program is built against.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

namespace fs = std::filesystem;

const std::string kLibrary = PQD_BIN_DIR "/libpqd.so";
// A sanitized library runs only in a sanitized program.
const std::string kSanitize = PQD_TEST_SANITIZE;

std::vector<std::string> compiler(std::vector<std::string> words) {
  words.insert(words.begin(), PQD_TEST_CC);
  if (!kSanitize.empty()) words.push_back("-fsanitize=" + kSanitize);
  return words;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(TheLibrary, ExportsItsAbiAndNothingElse) {
  const Ran ran = run({"nm", "-D", "--defined-only", "--format=posix", kLibrary});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  size_t functions = 0;
  for (const std::string& line : lines_of(ran.out)) {
    if (line.starts_with("PQD_0 ") || line.starts_with("PQD_0@")) continue;  // the version itself
    EXPECT_TRUE(line.starts_with("pqd_")) << line;
    EXPECT_TRUE(has(line, "@@PQD_0 T ")) << line;
    ++functions;
  }
  EXPECT_GT(functions, 50u);
}

TEST(TheLibrary, DefinesAllThatTheHeaderDeclares) {
  const std::string header = read_file(PQD_SOURCE_DIR "/bindings/c/pqd.h");
  const std::string exported = run({"nm", "-D", "--defined-only", "--format=posix", kLibrary}).out;
  size_t declared = 0;
  for (size_t at = header.find("PQD_API "); at != std::string::npos; at = header.find("PQD_API ", at + 1)) {
    const size_t open = header.find('(', at);
    const size_t name = header.find_last_of(" *", open) + 1;
    const std::string function = header.substr(name, open - name);
    if (!function.starts_with("pqd_")) continue;  // the macro's own definition
    EXPECT_TRUE(has("\n" + exported, "\n" + function + "@@")) << function;
    ++declared;
  }
  EXPECT_GT(declared, 50u);
}

TEST(TheLibrary, HasItsSonameAndNeedsNothingOfOurs) {
  const Ran ran = run({"readelf", "-d", kLibrary});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_TRUE(has(ran.out, "Library soname: [libpqd.so.0]")) << ran.out;
  EXPECT_FALSE(has(ran.out, "rocksdb")) << ran.out;
  EXPECT_FALSE(has(ran.out, "uring")) << ran.out;
  EXPECT_FALSE(has(ran.out, "spdlog")) << ran.out;
}

class AnInstalledLibrary : public WithDaemon {
 protected:
  void SetUp() override {
    WithDaemon::SetUp();
    const Ran ran =
        run({PQD_TEST_CMAKE, "--install", PQD_BUILD_DIR, "--component", "library", "--prefix", prefix_});
    ASSERT_EQ(ran.exit, 0) << ran.out << ran.err;
    for (const auto& entry : fs::recursive_directory_iterator(prefix_)) {
      if (entry.path().filename() == "libpqd.so.0") library_dir_ = entry.path().parent_path();
    }
    ASSERT_NE(library_dir_, "");
  }
  void expect_it_runs(const std::string& program) {
    const Ran ran = run({program}, {daemon_.socket_variable(), "LD_LIBRARY_PATH=" + library_dir_});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.out, PQD_VERSION " OK\n");
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client);
    EXPECT_EQ(client->list({.type = "installed"})->size(), 1u);
  }

  TempDir directory_;
  std::string prefix_ = directory_.path("prefix");
  std::string library_dir_;
};

TEST_F(AnInstalledLibrary, IsHeaderLibraryAndWhatFindsThem) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(prefix_)) {
    if (!entry.is_directory()) names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  std::erase_if(names, [](const std::string& name) { return name.starts_with("pqdTargets-"); });
  EXPECT_EQ(names,
            (std::vector<std::string>{"libpqd.so", "libpqd.so.0", "libpqd.so." PQD_VERSION, "pqd.h", "pqd.pc",
                                      "pqdConfig.cmake", "pqdConfigVersion.cmake", "pqdTargets.cmake"}));
}

TEST_F(AnInstalledLibrary, IsFoundByPkgConfigWhereverItLies) {
  const std::string moved = directory_.path("moved");
  fs::rename(prefix_, moved);
  library_dir_ = moved + library_dir_.substr(prefix_.size());
  const Ran flags =
      run({"pkg-config", "--cflags", "--libs", "pqd"}, {"PKG_CONFIG_PATH=" + library_dir_ + "/pkgconfig"});
  ASSERT_EQ(flags.exit, 0) << flags.err;
  std::vector<std::string> words =
      compiler({"-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o", directory_.path("program"),
                PQD_SOURCE_DIR "/tests/bindings/consumer/main.c"});
  std::istringstream given(flags.out);
  for (std::string flag; given >> flag;) words.push_back(flag);
  const Ran built = run(words);
  ASSERT_EQ(built.exit, 0) << built.err;
  expect_it_runs(directory_.path("program"));
}

TEST_F(AnInstalledLibrary, IsFoundByCMakeFromCAndCpp) {
  const std::string build = directory_.path("build");
  std::vector<std::string> words{PQD_TEST_CMAKE, "-S",  PQD_SOURCE_DIR "/tests/bindings/consumer",
                                 "-B",           build, "-DCMAKE_PREFIX_PATH=" + prefix_};
  if (!kSanitize.empty()) {
    words.push_back("-DCMAKE_C_FLAGS=-fsanitize=" + kSanitize);
    words.push_back("-DCMAKE_CXX_FLAGS=-fsanitize=" + kSanitize);
  }
  const Ran configured = run(words);
  ASSERT_EQ(configured.exit, 0) << configured.out << configured.err;
  const Ran built = run({PQD_TEST_CMAKE, "--build", build});
  ASSERT_EQ(built.exit, 0) << built.out << built.err;
  expect_it_runs(build + "/consumer_c");
  const Ran cpp = run({build + "/consumer_cpp"}, {"LD_LIBRARY_PATH=" + library_dir_});
  EXPECT_EQ(cpp.exit, 0) << cpp.err;
  EXPECT_EQ(cpp.out, "OK 5 50 0\n");
}

}  // namespace
}  // namespace pqd::test
