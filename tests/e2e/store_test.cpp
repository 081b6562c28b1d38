// `pqctl store` against a real daemon and what it leaves: looked through while it runs and after, damaged,
// salvaged, started from again.
#include <filesystem>

#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

class StoreE2e : public WithPqctl {
 protected:
  StoreE2e() : WithPqctl("[queues.defaults]\nmax_depth = 1000000\n") {}

  std::string submit() { return first_line(output({"submit", "t", "payload"})); }
  std::string state() const { return daemon_.directory() + "/state"; }
  std::string current() const { return state() + "/db/CURRENT"; }

  TempDir elsewhere_;
};

TEST_F(StoreE2e, IsLookedThroughBesideItsDaemonWhichIsFoundByItsSocket) {
  submit();
  const std::string found = output({"store", "check", "-o", "json"});
  EXPECT_TRUE(has(found, "\"directory\": \"" + state() + "\"")) << found;
  EXPECT_TRUE(has(found, "\"whole\": true") && has(found, "\"inUse\": true")) << found;
  EXPECT_TRUE(has(found, "\"liveJobs\": 1,")) << found;
  EXPECT_TRUE(has(output({"store", "check"}), "whole: " + state() + ", in use\n"));
}

TEST_F(StoreE2e, ThatIsDamagedIsRefusedNamedAndSalvaged) {
  const std::string id = submit();
  daemon_.stop();
  EXPECT_TRUE(has(output({"store", "check", state()}), "whole: " + state() + "\n"));
  write_file(current(), "nonsense");
  const Ran checked = pqctl({"store", "check", state()});
  EXPECT_EQ(checked.exit, 1);
  EXPECT_TRUE(has(checked.out, "database: cannot open the store in " + state() + ": Corruption: CURRENT"))
      << checked.out;
  EXPECT_TRUE(has(checked.out, "pqd does not start from it")) << checked.out;

  const std::string fresh = elsewhere_.path("state");
  const std::string salvaged = output({"store", "salvage", state(), fresh});
  EXPECT_TRUE(has(salvaged, "nothing is lost")) << salvaged;
  std::filesystem::rename(state(), elsewhere_.path("old"));
  std::filesystem::copy(fresh, state(), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(has(job(id), "\"status\":\"pending\""));
}

TEST_F(StoreE2e, IsBackedUpWhileItIsInUseAndRestored) {
  const std::string id = submit();
  const std::string kept = elsewhere_.path("kept");
  const std::string said = output({"store", "backup", kept});
  EXPECT_TRUE(has(said, "1 live jobs") && has(said, "whole: " + kept)) << said;
  const std::string later = submit();
  refused({"store", "backup", kept}, 65, {kept + " is there already"});
  EXPECT_FALSE(std::filesystem::exists(state() + "/backup"));

  daemon_.stop();
  std::filesystem::remove_all(state());
  std::filesystem::copy(kept, state(), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(daemon_.start());
  EXPECT_TRUE(has(job(id), "\"status\":\"pending\""));
  EXPECT_EQ(pqctl({"get", later}).exit, 66) << "it came after the backup";
  EXPECT_TRUE(has(output({"submit", "t", "and on"}), "-"));
}

TEST_F(StoreE2e, IsBackedUpUnderLoadOverAndOver) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "{\"type\":\"t\",\"payload\":\"p\"}\n";
  write_file(elsewhere_.path("lines"), lines);
  Program load(pqctl_words({"submit", "--ndjson", elsewhere_.path("lines")}), {daemon_.socket_variable()});
  int backups = 0;
  for (; load.running() || backups < 3; ++backups) {
    const std::string kept = elsewhere_.path("kept" + std::to_string(backups));
    EXPECT_TRUE(has(output({"store", "backup", kept}), "whole: " + kept));
    std::filesystem::remove_all(kept);
  }
  EXPECT_EQ(load.wait(), 0) << load.err();
}

TEST_F(StoreE2e, IsNotSalvagedUnderARunningDaemon) {
  refused({"store", "salvage", state(), elsewhere_.path("state")}, 75,
          {"UNAVAILABLE: a running pqd uses " + state() + ": stop it first"});
  EXPECT_FALSE(std::filesystem::exists(elsewhere_.path("state")));
}

TEST_F(StoreE2e, ThatIsNotThereIsSaid) {
  refused({"store", "check", elsewhere_.path()}, 66, {"there is no store in " + elsewhere_.path()});
  refused({"store", "salvage", state()}, 64, {"TO is required"});
  refused({"store", "salvage", elsewhere_.path(), elsewhere_.path("new")}, 66,
          {"there is no store in " + elsewhere_.path()});
}

}  // namespace
}  // namespace pqd::test
