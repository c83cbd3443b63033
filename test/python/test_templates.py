"""The template notebooks. The scikit-learn one is run for real in the contract suite. PyTorch and Keras are large and not installed here: of those
two, what depends on eda_job.py runs against stand-ins that have the few functions it calls; the training itself is not proven."""

import ast
import json
import pickle
import random
import sys
import types
import unittest
from pathlib import Path
from unittest import mock

from folders import HELPER, beats, eda_job, fresh_import, make_job
from test_eda_job import JobTest

TEMPLATES = HELPER.parent / "templates"


def code_of(name):
    cells = json.loads((TEMPLATES / (name + ".ipynb")).read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


class Templates(unittest.TestCase):
    def test_are_python_and_use_what_the_helper_has(self):
        for name in ("sklearn", "pytorch", "keras"):
            tree = ast.parse("\n".join(code_of(name)))
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
            for call in calls:
                if call.value.id == "eda_job":
                    self.assertTrue(hasattr(eda_job, call.attr), call.attr)
                if call.value.id == "job":
                    self.assertTrue(hasattr(eda_job.Job, call.attr), call.attr)
            self.assertTrue({"current", "finish"} <= {call.attr for call in calls})


class StandInPart:
    """Has a state, as a model or an optimizer of PyTorch has."""

    def __init__(self):
        self.steps = 0

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def stand_in_torch():
    generator = random.Random(5)
    torch = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    torch.get_rng_state, torch.set_rng_state, torch.generator = generator.getstate, generator.setstate, generator
    torch.save = lambda value, path: Path(path).write_bytes(pickle.dumps(value))
    torch.load = lambda path, map_location, weights_only: pickle.loads(Path(path).read_bytes())
    return torch


def stand_in_keras():
    class Callback:
        pass

    class Model(StandInPart):
        def save(self, path):
            Path(path).write_bytes(pickle.dumps(self.steps))

    def load_model(path):
        model = Model()
        model.steps = pickle.loads(Path(path).read_bytes())
        return model

    keras = types.ModuleType("keras")
    keras.callbacks = types.SimpleNamespace(Callback=Callback)
    keras.models = types.SimpleNamespace(load_model=load_model)
    keras.utils = types.SimpleNamespace(set_random_seed=random.seed)
    keras.Model = Model
    return keras


class AgainstStandIns(JobTest):
    def test_torch_training_continues_parts_and_random_numbers(self):
        with mock.patch.dict(sys.modules, {"torch": stand_in_torch()}):
            torch = sys.modules["torch"]
            make_job(self.folder)
            numbers = random.Random(5)
            undisturbed = [numbers.random() for _ in range(6)]
            model, drawn = StandInPart(), []
            for module, until in ((eda_job, 3), (fresh_import(), 6)):
                job, model = module.start(self.folder), StandInPart()
                training = module.TorchTraining(job, {"model": model}, epochs=6)
                for epoch in training:
                    if epoch == until:
                        torch.generator.seed(99)
                        break
                    drawn.append(torch.generator.random())
                    model.steps += 10
                    training.end_epoch(loss=1.0)
            self.assertEqual((training.first, model.steps, drawn), (3, 60, undisturbed))

    def test_keras_training_continues_where_the_checkpoint_is(self):
        with mock.patch.dict(sys.modules, {"keras": stand_in_keras()}):
            keras = sys.modules["keras"]
            make_job(self.folder)
            for module, until in ((eda_job, 3), (fresh_import(), 6)):
                job = module.start(self.folder)
                training = module.KerasTraining(job, keras.Model(), epochs=6, score=lambda logs: -logs["loss"])
                callback = training.callback()
                for epoch in range(training.first, until):
                    callback.on_epoch_begin(epoch)
                    callback.on_train_batch_end(0)
                    training.model.steps += 10
                    callback.on_epoch_end(epoch, {"loss": 1 / (epoch + 1)})
            self.assertEqual((training.first, training.model.steps), (3, 60))
            job.finish()
            self.assertEqual([point["step"] for beat in beats(self.folder, "002") for point in beat["points"]], [4, 5, 6])
