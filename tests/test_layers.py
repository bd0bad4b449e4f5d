"""Dependencies point down. import-linter reads the imports; foreign keys are strings, so they are looked at here."""

from django.apps import apps

from organizing import settings

LEVELS = {"web": 0, "audit": 0, "people": 1, "roles": 2, "meetings": 3, "surveys": 3, "campaigns": 4}


def test_every_app_of_ours_has_its_level() -> None:
    ours = {
        name.rsplit(".", 1)[-1] for name in settings.INSTALLED_APPS if (settings.BASE_DIR / name.split(".")[0]).is_dir()
    }
    assert {app for app in ours if list(apps.get_app_config(app).get_models())} <= set(LEVELS)


def test_foreign_keys_point_down() -> None:
    upward = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and field.concrete
        and field.related_model
        and LEVELS.get(field.related_model._meta.app_label, -1) > LEVELS.get(model._meta.app_label, 9)
    ]
    assert upward == []
