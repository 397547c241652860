from projects.core.library import config, run


def prepare():
    with run.Parallel("prepare_things") as parallel:
        parallel.delayed(prepare_one, "first")
        parallel.delayed(prepare_one, config.project.get_config("tests.name"))


def prepare_one(name):
    run.run(f"echo prepared {name}")
