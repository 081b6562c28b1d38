// Output that goes nowhere, to who leaves, to terminals of all kinds.
#include <sstream>

#include "tests/e2e/with_pqctl.h"

namespace pqd::test {
namespace {

class Terminal : public WithPqctl {
 protected:
  // A shell line in which `pqctl` is ours.
  Ran shell(const std::string& line, std::vector<std::string> environment = {}) {
    environment.insert(environment.end(), {daemon_.socket_variable(), "TERM=xterm", "NO_COLOR", "COLUMNS"});
    return run({"sh", "-c", "pqctl() { " PQD_BIN_DIR "/pqctl \"$@\"; }; " + line}, environment);
  }
};

const char* const kViews[] = {
    "ls", "queue ls", "queue show default", "dlq ls", "health", "submit t --priority 99", "get nonsense"};

size_t columns(const std::string& line) {
  size_t count = 0;
  for (const char c : line) count += c != '\r' && (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

TEST_F(Terminal, IsMissedWhenStdoutIsClosed) {
  const Ran closed = shell("pqctl submit t >&-");
  EXPECT_EQ(closed.exit, 1);
  EXPECT_TRUE(has(closed.err, "the output could not be written: Bad file descriptor")) << closed.err;
  const Ran full = shell("pqctl ls >/dev/full");
  EXPECT_EQ(full.exit, 1);
  EXPECT_TRUE(has(full.err, "the output could not be written: No space left on device")) << full.err;
  EXPECT_EQ(shell("pqctl ls <&- >/dev/null 2>&-").exit, 0);
  EXPECT_EQ(shell("pqctl submit t - <&-").exit, 65);
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(Terminal, IsNotTheDaemonsSocketWhenStdoutIsClosed) {
  // More ids than are kept back, so that they are written while the session lives.
  EXPECT_EQ(shell("yes '{\"type\":\"t\"}' | head -3000 | pqctl submit --ndjson - >&-").exit, 1);
  EXPECT_FALSE(has(daemon_.log(), "is closed: ")) << "ids were written to the daemon";
  EXPECT_EQ(job_count(), 3000u);
}

TEST_F(Terminal, IsNotMissedWhenAPipesReaderLeaves) {
  const std::string lines = "yes '{\"type\":\"t\"}' | head -3000 | ";
  const Ran ran = shell(lines + "{ pqctl submit --ndjson -; echo exit $? >&2; } | head -1");
  EXPECT_EQ(ran.err, "exit 0\n");
  EXPECT_EQ(line_count(ran.out), 1u);
  EXPECT_EQ(job_count(), 3000u);
  EXPECT_EQ(shell("{ pqctl ls --limit 3000; echo exit $? >&2; } | true").err, "exit 0\n");
}

TEST_F(Terminal, GetsEscapeSequencesOnlyWhenItIsOneAndWantsThem) {
  output({"submit", "t"});
  for (const std::string view : kViews) {
    const Ran piped = shell("pqctl " + view);
    EXPECT_FALSE(has(piped.out + piped.err, "\033")) << view;
    EXPECT_FALSE(has(on_a_terminal(view, {"NO_COLOR=1", "TERM=xterm"}), "\033")) << view;
    EXPECT_FALSE(has(on_a_terminal(view, {"TERM=dumb", "NO_COLOR"}), "\033")) << view;
  }
  EXPECT_TRUE(has(on_a_terminal("health", {"NO_COLOR", "TERM=xterm"}), "\033["));
}

TEST_F(Terminal, OfEightyColumnsIsEnough) {
  const std::string q(64, 'q');
  const std::string id =
      first_line(output({"submit", std::string(64, 't'), std::string(300, 'p'), "--queue", q}));
  for (const std::string view : {"ls", "queue ls", "dlq ls", "health", "--help", "submit --help"}) {
    std::istringstream seen(on_a_terminal(view, {"NO_COLOR=1", "TERM=xterm"}));
    for (std::string line; std::getline(seen, line);) EXPECT_LE(columns(line), 80u) << view << ": " << line;
  }
}

}  // namespace
}  // namespace pqd::test
