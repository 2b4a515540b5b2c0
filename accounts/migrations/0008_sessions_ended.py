from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0006_passkeys"),
    ]

    operations = [
        migrations.CreateModel(
            name="SessionsEnded",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("ended_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
    ]
