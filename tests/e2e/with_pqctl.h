// pqctl as people run it, against a daemon of the test's own. Owner: one thread.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/daemon.h"

namespace pqd::test {

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
inline size_t line_count(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}
inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

inline std::vector<std::string> pqctl_words(std::vector<std::string> words) {
  words.insert(words.begin(), PQD_BIN_DIR "/pqctl");
  return words;
}

// Its directory is below `path`, its log is not.
inline std::unique_ptr<Daemon> daemon_on(const std::string& path, const std::string& config) {
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "/tmp";
  ::setenv("TMPDIR", path.c_str(), 1);
  auto daemon = std::make_unique<Daemon>(config);
  ::setenv("TMPDIR", kept.c_str(), 1);
  return daemon;
}

class WithPqctl : public WithDaemon {
 protected:
  using WithDaemon::WithDaemon;

  Ran pqctl(std::vector<std::string> words, std::string input = {}) {
    return run(pqctl_words(std::move(words)), {daemon_.socket_variable(), "COLUMNS", "NO_COLOR"},
               std::move(input));
  }
  // What a terminal of 80 columns gets to see; `words` as in a shell.
  std::string on_a_terminal(const std::string& words, std::vector<std::string> environment = {}) {
    environment.insert(environment.end(), {daemon_.socket_variable(), "COLUMNS"});
    return run({"script", "-qec", "stty cols 80; " PQD_BIN_DIR "/pqctl " + words, "/dev/null"}, environment)
        .out;
  }
  // What it printed; it must have ended with 0.
  std::string output(std::vector<std::string> words, std::string input = {}) {
    const Ran ran = pqctl(std::move(words), std::move(input));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return ran.out;
  }
  // It must end with `exit`, print no data, and its complaint must hold every one of `parts`.
  void refused(std::vector<std::string> words, int exit, const std::vector<std::string>& parts,
               std::string input = {}) {
    const Ran ran = pqctl(std::move(words), std::move(input));
    EXPECT_EQ(ran.exit, exit) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(ran.err.starts_with("pqctl: ")) << ran.err;
    EXPECT_EQ(line_count(ran.err), 1u) << ran.err;
    for (const std::string& part : parts) EXPECT_TRUE(has(ran.err, part)) << part << " in\n" << ran.err;
  }
  size_t job_count() { return line_count(output({"ls", "--limit", "10000", "-o", "jsonl"})); }
  bool has_queue(const std::string& name) { return pqctl({"queue", "show", name}).exit == 0; }
  std::string job(const std::string& id) { return output({"get", id, "-o", "jsonl"}); }
};

}  // namespace pqd::test
