// Output that goes nowhere, to who leaves, to terminals of all kinds; and Ctrl-C.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "shm/unique_fd.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class Terminal : public WithPqctl {
 protected:
  // A shell line in which `pqctl` is ours.
  Ran shell(const std::string& line, std::vector<std::string> environment = {}) {
    environment.insert(environment.end(), {daemon_.socket_variable(), "TERM=xterm", "NO_COLOR", "COLUMNS"});
    return run({"sh", "-c", "pqctl() { " PQD_BIN_DIR "/pqctl \"$@\"; }; " + line}, environment);
  }
  // What a terminal of 80 columns gets to see.
  std::string on_a_terminal(const std::string& words, std::vector<std::string> environment = {}) {
    environment.insert(environment.end(), {daemon_.socket_variable(), "COLUMNS"});
    return run({"script", "-qec", "stty cols 80; " PQD_BIN_DIR "/pqctl " + words, "/dev/null"}, environment)
        .out;
  }
  size_t sessions_begun() {
    const std::string log = daemon_.log();
    size_t count = 0;
    for (size_t at = 0; (at = log.find("(pqctl) has begun", at)) != std::string::npos; ++at) ++count;
    return count;
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
  for (const std::string view :
       {"ls", "queue ls", "dlq ls", "health", "clients", "--help", "submit --help"}) {
    std::istringstream seen(on_a_terminal(view, {"NO_COLOR=1", "TERM=xterm"}));
    for (std::string line; std::getline(seen, line);) EXPECT_LE(columns(line), 80u) << view << ": " << line;
  }
}

TEST_F(Terminal, LosesNothingToCtrlCWhileLinesAreSubmitted) {
  TempDir directory;
  const std::string pipe = directory.path("lines");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const UniqueFd feeder(::open(pipe.c_str(), O_RDWR | O_CLOEXEC));
  Program submit(pqctl_words({"submit", "--ndjson", pipe}), {daemon_.socket_variable()});
  const std::string lines = "{\"type\":\"t\"}\n{\"type\":\"t\"}\n{\"type\":\"t\"}\n{\"type\":";
  ASSERT_EQ(::write(feeder.get(), lines.data(), lines.size()), static_cast<ssize_t>(lines.size()));
  ASSERT_TRUE(eventually([&] { return line_count(submit.out()) == 3; })) << submit.err();
  submit.signal(SIGINT);
  EXPECT_EQ(submit.wait(), 130);
  EXPECT_TRUE(has(submit.err(), "stopped after line 3: ")) << submit.err();
  EXPECT_EQ(line_count(submit.out()), 3u);
  EXPECT_EQ(job_count(), 3u);
}

TEST_F(Terminal, LeavesAnNdjsonSubmitThatHangsAtTheSecondCtrlC) {
  TempDir directory;
  write_file(directory.path("lines"), "{\"type\":\"t\"}\n");
  ASSERT_TRUE(daemon_.freeze_engine());
  Program submit(pqctl_words({"submit", "--ndjson", directory.path("lines")}), {daemon_.socket_variable()});
  EXPECT_TRUE(eventually([&] {
    submit.signal(SIGINT);
    return !submit.running();
  }));
  EXPECT_EQ(submit.wait(), 130);
}

TEST_F(Terminal, LeavesTheJobAloneWhenAWaitIsInterrupted) {
  const std::string id = first_line(output({"submit", "t"}));
  const size_t before = sessions_begun();
  Program wait(pqctl_words({"wait", id}), {daemon_.socket_variable()});
  ASSERT_TRUE(eventually([&] { return sessions_begun() > before; }));
  wait.signal(SIGINT);
  EXPECT_EQ(wait.wait(), 130);
  EXPECT_TRUE(has(job(id), "\"status\":\"pending\""));
}

TEST_F(Terminal, GivesBackWhatWasNotBegunWhenAWorkerIsInterrupted) {
  TempDir mark;
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(first_line(output({"submit", "t"})));
  Program worker(
      pqctl_words({"work", "t", "--batch", "3", "--", "sh", "-c",
                   "echo begun >&2; while ! test -e " + mark.path("go") + "; do sleep 0.02; done"}),
      {daemon_.socket_variable()});
  ASSERT_TRUE(worker.says("begun"));
  worker.signal(SIGINT);
  ASSERT_TRUE(worker.says("stopping"));
  write_file(mark.path("go"), "");
  EXPECT_EQ(worker.wait(), 0) << worker.err();
  EXPECT_TRUE(has(job(ids[0]), "\"status\":\"completed\""));
  for (const std::string& id : {ids[1], ids[2]})
    EXPECT_TRUE(has(job(id), "\"status\":\"pending\"") && has(job(id), "\"attempts\":0,")) << job(id);
}

}  // namespace
}  // namespace pqd::test
