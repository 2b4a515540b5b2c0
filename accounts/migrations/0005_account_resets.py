import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0004_link_box"),
    ]

    operations = [
        migrations.AddField(
            model_name="accountkey",
            name="number",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="devicelist",
            name="key_number",
            field=models.PositiveIntegerField(default=1),
        ),
        # The new index comes first: MySQL needs one for the foreign key at every moment.
        migrations.AddConstraint(
            model_name="devicelist",
            constraint=models.UniqueConstraint(
                fields=("user", "key_number", "version"), name="one_list_per_key_and_version"
            ),
        ),
        migrations.RemoveConstraint(model_name="devicelist", name="one_list_per_version"),
        migrations.CreateModel(
            name="Reset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("body", models.BinaryField(max_length=256)),
                ("sig", models.BinaryField(max_length=64)),
                ("reset_id", models.BinaryField(max_length=32)),
                ("announced_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "end",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "completed"), (2, "vetoed"), (3, "withdrawn")], null=True
                    ),
                ),
                ("veto", models.BinaryField(max_length=256, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="resets",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormerKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("amk_pub", models.BinaryField(max_length=32)),
                ("recovery_blob", models.BinaryField(max_length=2048)),
                ("recovery_sig", models.BinaryField(max_length=64)),
                ("recovery_version", models.PositiveBigIntegerField()),
                (
                    "reset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_key",
                        to="accounts.reset",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_keys",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "number"), name="one_former_key_per_number")
                ],
            },
        ),
    ]
