// Ctrl-C while pqctl is at it: what was done is known, nothing is lost.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/unique_fd.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class CtrlC : public WithPqctl {
 protected:
  size_t sessions_begun() {
    const std::string log = daemon_.log();
    size_t count = 0;
    for (size_t at = 0; (at = log.find("(pqctl) has begun", at)) != std::string::npos; ++at) ++count;
    return count;
  }
};

TEST_F(CtrlC, LosesNothingWhileLinesAreSubmitted) {
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

TEST_F(CtrlC, LeavesASubmitThatHangsAtTheSecondTime) {
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

TEST_F(CtrlC, LeavesTheJobAloneWhenAWaitIsInterrupted) {
  const std::string id = first_line(output({"submit", "t"}));
  const size_t before = sessions_begun();
  Program wait(pqctl_words({"wait", id}), {daemon_.socket_variable()});
  ASSERT_TRUE(eventually([&] { return sessions_begun() > before; }));
  wait.signal(SIGINT);
  EXPECT_EQ(wait.wait(), 130);
  EXPECT_TRUE(has(job(id), "\"status\":\"pending\""));
}

TEST_F(CtrlC, GivesBackWhatWasNotBegunWhenAWorkerIsInterrupted) {
  TempDir mark;
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(first_line(output({"submit", "t"})));
  Program worker(
      pqctl_words({"work", "t", "--ahead", "3", "--", "sh", "-c",
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
