#include "tests/ratchet/counting.h"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/ratchet/callgrind_file.h"

namespace pqd::ratchet {
namespace {

namespace fs = std::filesystem;

// The C library's plainest copies of memcpy and the like, and libcrypto's of SHA-256.
constexpr const char* kPlainC =
    "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-"
    "FSRM,"
    "-MOVBE,-BMI1,-BMI2,-LZCNT,-POPCNT,-SSSE3,-SSE4_1,-SSE4_2,-Fast_Unaligned_Copy,-Fast_Copy_Backward";
constexpr const char* kPlainCrypto = "OPENSSL_ia32cap=0:0";

class Directory {
 public:
  Directory() : path_((fs::temp_directory_path() / "pqd-ratchet-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Directory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string text_of_file(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void become_callgrind(const std::string& program, const std::string& directory) {
  const int talk = ::open((directory + "/talk").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ::dup2(talk, STDOUT_FILENO);
  ::dup2(talk, STDERR_FILENO);
  // Where that is forbidden, valgrind's own addresses are the same each time as well.
  ::personality(ADDR_NO_RANDOMIZE);
  const std::string out = "--callgrind-out-file=" + directory + "/out";
  const std::array<const char*, 7> words{"valgrind",  "--tool=callgrind", "--collect-atstart=no",
                                         out.c_str(), program.c_str(),    "--pieces",
                                         nullptr};
  const std::array<const char*, 4> environment{"PATH=/usr/local/bin:/usr/bin:/bin", kPlainC, kPlainCrypto,
                                               nullptr};
  ::execvpe(words[0], const_cast<char* const*>(words.data()), const_cast<char* const*>(environment.data()));
  ::_exit(127);
}

// "life-fifo 2048": the piece, and how many things.
std::optional<Count> count_of(const CallgrindFile& file) {
  std::istringstream words(file.request);
  Count count;
  double things = 0;
  if (!(words >> count.piece >> things) || things <= 0) return std::nullopt;
  const uint64_t libcrypto = file.of_library("libcrypto.so");
  count.libcrypto = static_cast<double>(libcrypto) / things;
  count.own = static_cast<double>(file.total - libcrypto) / things;
  return count;
}

}  // namespace

std::expected<std::vector<Count>, std::string> count_pieces(const std::string& program) {
  const Directory directory;
  if (directory.path().empty()) return std::unexpected("there is no directory for callgrind's files");
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected("no process could be made");
  if (pid == 0) become_callgrind(program, directory.path());
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
    return std::unexpected("there is no valgrind; tools/bootstrap installs it");
  if (status != 0)
    return std::unexpected("the pieces failed under callgrind:\n" + text_of_file(directory.path() + "/talk"));
  std::vector<std::pair<int, Count>> in_order;
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("out.")) continue;
    const auto file = read_callgrind(text_of_file(entry.path()));
    if (!file) return std::unexpected("callgrind's file " + name + " does not add up");
    if (const auto count = count_of(*file)) in_order.emplace_back(std::atoi(name.c_str() + 4), *count);
  }
  std::ranges::sort(in_order, {}, &std::pair<int, Count>::first);
  std::vector<Count> counts;
  for (auto& [number, count] : in_order) counts.push_back(std::move(count));
  return counts;
}

}  // namespace pqd::ratchet
